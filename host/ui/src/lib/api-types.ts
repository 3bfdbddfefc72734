// Made by make-types.mjs of scripts/openapi.json: do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The alert of an act or of the server. */
        ActAlert: {
            /**
             * Format: int64
             * @description The number of the activation that moved money.
             */
            activation?: number;
            /** @description Who takes care of it. */
            assignee: string | null;
            /**
             * @description `definitions_changed`, `definitions_refused`, `double_payment`, `not_decided` or
             *     `checkpoint_differs`.
             */
            code: string;
            /** @description What that activation meant for credits that existed. */
            effective?: string;
            /** @description The id of the alert. */
            id: string;
            /** @description What happened and what to do, in one sentence. */
            message: string;
            /** @description What that activation moved. */
            money?: components["schemas"]["MoneyEffect"];
            /** @description Id of the participant who is paid twice. */
            payee?: string;
            /** @description Id of the period that was released. */
            period?: string;
            /** @description Id of the plan that was released. */
            plan?: string;
            /** @description `activation`, `release`, `worker` or `audit`. */
            stage: string;
            /** @description Natural key of the transaction that it is about; null where it is about none. */
            transaction: string | null;
        };
        /** @description What an act answers when it is carried out. */
        ActAnswer: components["schemas"]["MadeAdjustment"] | components["schemas"]["VoidedDeal"] | components["schemas"]["ManualCreditAct"] | components["schemas"]["ManualReward"] | components["schemas"]["PostedCredit"] | components["schemas"]["ReleasedHolds"] | components["schemas"]["Release"] | components["schemas"]["RemovedRelease"] | components["schemas"]["ChangedPeriod"] | components["schemas"]["ChangedAccess"] | components["schemas"]["Run"];
        /** @description An activation: a whole set of files became what decides. */
        Activation: {
            /**
             * Format: int64
             * @description In a list of changes: its number.
             */
            activation?: number;
            /** @description The user who activated the kept change. */
            approved_by: string | null;
            /**
             * Format: date-time
             * @description The instant at which it came into force.
             */
            at: string;
            /** @description How many cases ran, all of which passed. */
            cases: number;
            /**
             * Format: int64
             * @description The number of the kept change that it carried out.
             */
            change: number | null;
            /** @description In a list of changes: the hash of the new text by path; null where the file was removed. */
            changed?: {
                [key: string]: string | null;
            };
            /** @description What it meant for credits that existed: `now`, `recredit` or `from:2026-01-31`. */
            effective: string;
            /** @description The paths that were to change. */
            files: string[];
            /** @description The money that it moved; null where none moved. */
            money: components["schemas"]["MoneyEffect"] | null;
            /** @description Plans, with the periods in which it changed what credits are worth. */
            restated: {
                [key: string]: string[];
            };
            /** @description The hash of the ruleset that it made. */
            ruleset: string;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            sequence: number;
            /** @description `start`, `api` or `watch`. */
            source: string;
            /** @description In a list of changes: `active` for the last one, else `retired`. */
            state?: string;
            /** @description Labels to find it by. */
            tags: string[];
            /** @description The user who made the change. */
            who: string;
            /** @description The reason as it was given. */
            why: string | null;
        };
        /** @description A page of a list. */
        ActivationPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Activation"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A change that is in force. */
        ActiveChange: {
            /**
             * Format: int64
             * @description The number of the activation.
             */
            activation: number;
            /** @description Always true. */
            active: boolean;
            /** @description The hash of the text that was sent; left out where it was more than one text. */
            hash?: string;
            /** @description The money that the change moves. */
            money: components["schemas"]["MoneyEffect"];
            /** @description The hash of the ruleset in force. */
            ruleset: string;
        };
        /** @description An adjustment of a credit or of a transaction. */
        Adjustment: {
            /** @description `adjust_to`, `adjust_by` or `reset`. */
            action: components["schemas"]["ResolutionAction"];
            /**
             * Format: decimal
             * @description The amount, in the unit of what is adjusted; left out for a reset.
             */
            amount?: string;
            /** @description Whether it counts and the target still has what it adjusts. */
            applied: boolean;
            /** @description Who approved it, where a second person had to. */
            approved?: components["schemas"]["Approval"];
            /** @description The reason as it was given. */
            comment: string | null;
            /** @description Whether it is the last adjustment of its target, and no reset. */
            counts: boolean;
            /** @description The id of the credit; blank for an adjustment of the transaction itself. */
            credit: string;
            /**
             * Format: date
             * @description Business date on which it was made.
             */
            date: string;
            /** @description Id of the plan of the credit. */
            plan?: string;
            /** @description One of the workspace's reason codes. */
            reason_code?: string;
            /** @description Natural key of the transaction. */
            transaction?: string;
            /** @description The user who made it. */
            who: string;
        };
        /** @description A page of a list. */
        AdjustmentPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Adjustment"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What an adjustment says. */
        AdjustmentRequest: {
            /** @description `adjust_to`, `adjust_by`, or `reset` to end an adjustment. */
            action: string;
            /**
             * Format: decimal
             * @description The amount; `reset` needs none.
             */
            amount?: string | null;
            /** @description Why. */
            comment?: string | null;
            /** @description One of the workspace's reason codes; `reset` needs none. */
            reason_code?: string | null;
        };
        /** @description An alert. Every one has `id`, `assignee`, `transaction`, `stage`, `code` and `message`. */
        Alert: components["schemas"]["NoteAlert"] | components["schemas"]["ActAlert"] | components["schemas"]["DeadLetterAlert"] | components["schemas"]["EnquiryAlert"];
        /** @description A page of a list. */
        AlertPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Alert"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description One alias and one of its meanings. */
        Alias: {
            /** @description As it was first written. */
            alias: string;
            /** @description Whether on some day it means several positions, or several teams. */
            ambiguous: boolean;
            /**
             * Format: date
             * @description First day; none when it was always so.
             */
            from: string | null;
            /** @description The id of the participant, position or team that it means. */
            id: string;
            /** @description `participant`, `position` or `team`. */
            kind: string;
            /** @description The name of a participant or team, the title of a position. */
            name: string;
            /**
             * Format: date
             * @description Last day; none when it has no end.
             */
            to: string | null;
        };
        /** @description A page of a list. */
        AliasPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Alias"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What an answer says. */
        AnswerRequest: {
            /** @description `resolved` or `rejected`. */
            state: string;
            /** @description The answer, 1 to 4000 characters. */
            text: string;
        };
        /** @description The approval of a second person. */
        Approval: {
            /**
             * Format: int64
             * @description The number of the request that ends with the commit this is part of; none in the commits
             *     before the last one of an act that takes several.
             */
            request: number | null;
            /** @description The user who approved it. */
            who: string;
        };
        /** @description A request that waits for a second person, or waited. */
        ApprovalRequest: {
            /**
             * Format: date-time
             * @description The instant at which it was made.
             */
            at: string;
            /** @description Who approved or withdrew it; null while it waits. */
            decided: components["schemas"]["SignOff"] | null;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            id: number;
            /** @description What is asked for, as it is kept: `act` and its parts. */
            request: unknown;
            /** @description `waiting`, `approved` or `withdrawn`. */
            state: components["schemas"]["ApprovalState"];
            /** @description The user who made it. */
            who: string;
        };
        /** @description A page of a list. */
        ApprovalRequestPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["ApprovalRequest"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /**
         * @description What became of a request.
         * @enum {string}
         */
        ApprovalState: "waiting" | "approved" | "withdrawn";
        /** @description A request that was approved, and what carrying it out answered. */
        ApprovedRequest: {
            /** @description What the act answers without a second person. */
            answer: components["schemas"]["ActAnswer"];
            /** @description The request as it is now. */
            request: components["schemas"]["ApprovalRequest"];
        };
        /** @description Who is to take care of it. */
        AssignRequest: {
            /** @description A name; null gives it back to everybody. */
            to?: string | null;
        };
        /** @description From where an act came. */
        AuditOrigin: {
            /** @description The address of the peer of the connection. */
            peer?: string;
            /** @description The program that sent it, as it names itself: `accredit/0.1.0` is the command line. */
            program?: string;
            /** @description The id of the request, as answers and log lines have it. */
            request?: string;
            /**
             * @description The way of access: `token`, `key:ID`, `session:ID`, `public` before a sign-in, or `server` for
             *     what the server does by itself.
             */
            via: string;
        };
        /** @description A row of the trail. */
        AuditRow: {
            /**
             * Format: date-time
             * @description The instant.
             */
            at: string;
            /**
             * @description Everything else that is to be known; its shape depends on the action. Of a change it has what was
             *     `before` and `after` it.
             */
            detail: unknown;
            /** @description The hash of the row, which the next row names. */
            hash: string;
            /** @description From where it came; null in rows of earlier versions of the program. */
            origin: components["schemas"]["AuditOrigin"] | null;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            sequence: number;
            /** @description The action, such as `activated`, `released` or `held`. */
            what: string;
            /** @description The token or person that did it. */
            who: string;
        };
        /** @description A page of a list. */
        AuditRowPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["AuditRow"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description The summary beside a backup. */
        BackupSummary: {
            /**
             * Format: date-time
             * @description The instant at which it was begun: what was committed before is in it.
             */
            at: string;
            /**
             * Format: int64
             * @description Bytes of the file.
             */
            bytes: number;
            /** @description What it has. */
            content: components["schemas"]["CopySummary"];
            /** @description The name of the file. */
            file: string;
            /** @description The version of the program that made it. */
            version: string;
        };
        /** @description A page of a list. */
        BackupSummaryPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["BackupSummary"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A balance before and after a change. */
        BalanceLine: {
            /**
             * Format: decimal
             * @description What is owed after the change.
             */
            after: string;
            /**
             * Format: decimal
             * @description What is owed now.
             */
            before: string;
            /**
             * Format: decimal
             * @description What is added to it.
             */
            difference: string;
            /** @description The draw, or `carried` for amounts below zero. */
            name: string;
            /** @description Participant id, as it is now. */
            payee: string;
            /** @description The id of the plan. */
            plan: string;
            /** @description Unit of the amounts. */
            unit_type: string;
        };
        /** @description The result of one plan in one period. */
        Calculation: {
            alerts: components["schemas"]["Note"][];
            balances: components["schemas"]["PayeeBalance"][];
            /** @description Rewards of other periods that correct this one, which was paid. */
            corrections?: components["schemas"]["EarnedReward"][];
            credits: components["schemas"]["PostedCredit"][];
            log: components["schemas"]["Note"][];
            parked: components["schemas"]["Note"][];
            period: string;
            plan: string;
            /** Format: int32 */
            revision: number;
            rewards: components["schemas"]["EarnedReward"][];
            ruleset: string;
            transactions: number;
            uncredited: components["schemas"]["Note"][];
        };
        /** @description Every calculation, and how far the deciding is. */
        CalculationList: {
            /** @description A row for each plan in each of its periods. */
            data: components["schemas"]["CalculationSummary"][];
            /** @description Always null: the list is one page. */
            next_cursor: string | null;
            /** @description How far the deciding is. */
            progress: components["schemas"]["DecidingProgress"];
        };
        /** @description A page of a list. */
        CalculationPage: {
            /** @description The rows of the page. */
            data: {
                alerts: components["schemas"]["Note"][];
                balances: components["schemas"]["PayeeBalance"][];
                /** @description Rewards of other periods that correct this one, which was paid. */
                corrections?: components["schemas"]["EarnedReward"][];
                credits: components["schemas"]["PostedCredit"][];
                log: components["schemas"]["Note"][];
                parked: components["schemas"]["Note"][];
                period: string;
                plan: string;
                /** Format: int32 */
                revision: number;
                rewards: components["schemas"]["EarnedReward"][];
                ruleset: string;
                transactions: number;
                uncredited: components["schemas"]["Note"][];
            }[];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A plan in a period that it is calculated by. The counts are of recorded rows. */
        CalculationSummary: {
            /** @description The sum of direct credits by unit type, a decimal in the scale of the unit. */
            credited: {
                [key: string]: string;
            };
            /**
             * Format: int64
             * @description Direct and indirect credits, held ones included, suppressed ones not.
             */
            credits: number;
            /**
             * Format: int64
             * @description Direct credits.
             */
            direct: number;
            /**
             * Format: date
             * @description First day of the period.
             */
            first: string;
            /**
             * Format: int64
             * @description Held credits.
             */
            held: number;
            /**
             * Format: int64
             * @description Indirect credits.
             */
            indirect: number;
            /**
             * Format: date
             * @description Last day of the period.
             */
            last: string | null;
            /**
             * Format: int64
             * @description Transactions that could not be decided.
             */
            parked: number;
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description What is published of it; null where nothing is. */
            release: components["schemas"]["Release"] | null;
            /**
             * Format: int32
             * @description Goes up when the content changes.
             */
            revision: number;
            /**
             * Format: int64
             * @description Suppressed credits.
             */
            suppressed: number;
            /**
             * Format: int64
             * @description Decisions of the plan.
             */
            transactions: number;
            /**
             * Format: int64
             * @description Transactions without a credit.
             */
            uncredited: number;
        };
        /** @description The calculation of a plan in its own period, or those of its own periods within a longer one. */
        Calculations: components["schemas"]["Calculation"] | components["schemas"]["CalculationPage"];
        /** @description The caller. */
        Caller: {
            /**
             * Format: date
             * @description The business date of the server, which says what the period of today is.
             */
            business_date: string;
            /** @description The name in the audit trail. */
            name: string;
            /** @description The participant whom the caller is; null for other roles. */
            participant: string | null;
            /** @description What the caller may do. */
            role: string;
            /** @description What the natural keys of the caller's deals begin with; null for other roles. */
            scope: string | null;
        };
        /** @description The certificate in force. */
        Certificate: {
            /**
             * Format: date-time
             * @description Its last second.
             */
            ends_at: string;
            /** @description Why a newer one is not in force, or what is wrong with this one; null if nothing is. */
            fault: string | null;
        };
        /** @description A change in a list of changes. */
        Change: components["schemas"]["KeptChange"] | components["schemas"]["Activation"];
        /** @description A change as it is sent. */
        ChangeBody: {
            /** @description The ruleset that must be in force, as `GET /v1/definitions` names it. */
            base?: string | null;
            /** @description The reason. */
            comment?: string | null;
            /**
             * @description Whether it is only kept.
             * @default false
             */
            draft: boolean;
            /** @description What it means for existing credits; by default `now`. */
            effective?: string | null;
            /** @description Path to text; null removes the file. */
            files?: {
                [key: string]: string | null;
            };
            /** @description Why people with credits or rewards may go. */
            force?: string | null;
            /**
             * Format: decimal
             * @description The highest permitted change of credits and of rewards, for each payee.
             */
            max_payee?: string | null;
            /**
             * Format: decimal
             * @description The highest permitted change of credits and of rewards, in all.
             */
            max_total?: string | null;
            /** @description The ruleset that a preview said it makes. */
            ruleset?: string | null;
            /** @description All files that `base` had, as `GET /v1/definitions` names them. */
            set?: string | null;
            /** @description Labels to find it by. */
            tags?: string[];
            /**
             * @description Whether `files` is everything: what is not in it goes.
             * @default false
             */
            whole: boolean;
        };
        /** @description A page of a list. */
        ChangePage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Change"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What a change would change. */
        ChangePreview: {
            /** @description The hash of the ruleset in force. */
            base: string;
            /** @description What an activation would change in the books at once. */
            booked: components["schemas"]["ImpactReport"];
            /** @description How many cases ran, all of which passed. */
            cases: number;
            /** @description The files and rules that differ. */
            changes: components["schemas"]["DefinitionChanges"];
            /** @description What the cases reach of the policies that it brings; null where it brings none. */
            coverage: components["schemas"]["PolicyCoverage"] | null;
            /** @description What the change means for credits that exist: `now`, `recredit` or `from:2026-01-31`. */
            effective: string;
            /** @description What the recorded transactions would be credited. */
            impact: components["schemas"]["ImpactReport"];
            /** @description The money that the change would move. */
            money: components["schemas"]["MoneyEffect"];
            /** @description Who would be removed with credits, and who would be paid less. */
            people: components["schemas"]["PeopleReport"];
            /** @description The hash of the ruleset that the change makes. */
            ruleset: string;
            /** @description The limit that is exceeded, in words. */
            stop_loss: string | null;
            /** @description Whether the server still decides, so that amounts will differ. */
            unfinished: boolean;
            /**
             * @description What is odd in the files that change, or became odd elsewhere by the change, and keeps nothing out; at
             *     most 500.
             */
            warnings: components["schemas"]["Diagnostic"][];
            /** @description How many more there are. */
            warnings_left_out: number;
        };
        /** @description A key or a person whose access was changed. */
        ChangedAccess: {
            /** @description The id of the key or the person. */
            access: string;
            /** @description The name in the audit trail. */
            name: string;
            /** @description What it may do now. */
            role: string;
        };
        /** @description A period that was closed, reopened or finalized. */
        ChangedPeriod: {
            /** @description Its id in the calendar. */
            id: string;
            /** @description Its leaf periods. */
            leaves: components["schemas"]["LeafState"][];
            /** @description `closed`, `open` or `finalized`. */
            state: string;
        };
        /** @description A file of a kept change, before it and after it. */
        ChangedText: {
            /** @description The text that the change brings; null where the file goes. */
            after: string | null;
            /** @description The text in the set that the change was made for; null where the file is new. */
            before: string | null;
            /** @description Its path. */
            path: string;
        };
        /** @description A member of a team on a day. */
        ChartMember: {
            /**
             * Format: date
             * @description The first day in the position, or as a person; null for one without a beginning.
             */
            from: string | null;
            /** @description The name for people. */
            name: string;
            /** @description The id. */
            payee: string;
            /**
             * Format: date
             * @description The last day; null for one without an end.
             */
            to: string | null;
            /**
             * Format: decimal
             * @description The part of a team's credit, in proportion to the others'.
             */
            weight: string;
        };
        /** @description A person on a day. */
        ChartPerson: {
            /**
             * Format: date
             * @description The first day in the position, or as a person; null for one without a beginning.
             */
            from: string | null;
            /** @description The name for people. */
            name: string;
            /** @description The id. */
            payee: string;
            /**
             * Format: date
             * @description The last day; null for one without an end.
             */
            to: string | null;
        };
        /** @description A position on a day. */
        ChartPosition: {
            /**
             * Format: date
             * @description The first day of this version; null for one without a beginning.
             */
            from: string | null;
            /** @description Who holds it; nobody where it is vacant. */
            holders: components["schemas"]["ChartPerson"][];
            /** @description The position that it reports to. */
            manager: string | null;
            /** @description Its id. */
            position: string;
            /** @description Quotas of periods that contain the day, for the position itself or for who holds it. */
            quotas: components["schemas"]["ChartQuota"][];
            /** @description Its title. */
            title: string;
            /**
             * Format: date
             * @description Its last day; null for one without an end.
             */
            to: string | null;
        };
        /** @description A row of the quotas. */
        ChartQuota: {
            /** @description The credit type; null for each that has no row of its own. */
            credit_type: string | null;
            /** @description The person for whom it is; null for the position. */
            payee: string | null;
            /** @description The period. */
            period: string;
            /** @description The plan. */
            plan: string;
            /**
             * Format: decimal
             * @description What is expected.
             */
            quota: string;
        };
        /** @description Where credit flows from a position or a team. */
        ChartRelationship: {
            /** @description `position` or `team`. */
            between: string;
            /**
             * Format: date
             * @description The first day; null for one without a beginning.
             */
            from: string | null;
            /** @description Where credit comes from. */
            source: string;
            /** @description Where it flows to. */
            target: string;
            /**
             * Format: date
             * @description The last day; null for one without an end.
             */
            to: string | null;
            /** @description The declared type. */
            type: string;
        };
        /** @description A team on a day. */
        ChartTeam: {
            /**
             * Format: date
             * @description The first day of this version; null for one without a beginning.
             */
            from: string | null;
            /** @description The position that manages it. */
            manager: string | null;
            /** @description Its members. */
            members: components["schemas"]["ChartMember"][];
            /** @description Its name for people. */
            name: string;
            /** @description The team that it belongs to. */
            parent: string | null;
            /** @description Its id. */
            team: string;
            /**
             * Format: date
             * @description Its last day; null for one without an end.
             */
            to: string | null;
        };
        /** @description Something that may be written at a place. */
        CompletionItem: {
            /** @description Its type or signature, one line. */
            detail: string;
            /** @description What it means, in Markdown; blank where nothing is said. */
            documentation: string;
            /** @description The text that is written. */
            insert: string;
            /** @description What it is. */
            kind: components["schemas"]["CompletionKind"];
            /** @description What it is called. */
            label: string;
            /** @description The part of the file that the text replaces. */
            range: components["schemas"]["TextRange"];
        };
        /**
         * @description What an item is.
         * @enum {string}
         */
        CompletionKind: "field" | "column" | "attribute" | "variable" | "own_function" | "constant" | "function" | "keyword" | "table" | "query" | "policy" | "plan" | "key" | "value";
        /** @description A rule that was copied, in force. */
        CopiedRule: {
            /** @description Always true: a copy that waits for a second person is answered as a change. */
            active: boolean;
            /** @description The money that the change moves. */
            money: components["schemas"]["MoneyEffect"];
            /** @description The keys of the copy, with its plan and kind. */
            rule?: unknown;
            /** @description The hash of the ruleset in force. */
            ruleset: string;
        };
        /** @description What a copy is called. */
        CopyRequest: {
            /** @description The name of the copy. */
            name: string;
        };
        /** @description What a copy has: the same figures tell whether two data files have the same rows. */
        CopySummary: {
            /** @description The hash of the last row of the audit trail; empty while it has none. */
            audit_head: string;
            /**
             * Format: int64
             * @description How many rows the audit trail has.
             */
            audit_rows: number;
            /** @description The BLAKE3 hash of all of them, in the order of tables and keys. */
            blake3: string;
            /** @description Counts of deals and credits, and their totals. */
            counts: components["schemas"]["LedgerCounts"];
            /**
             * Format: int64
             * @description How many rows it has.
             */
            rows: number;
        };
        /** @description Counts of the recorded rows; each counter is explained at `LedgerCounts`. */
        Counts: {
            /** @description Sums of direct credits, by unit type. */
            credited: {
                [key: string]: string;
            };
            /**
             * Format: decimal
             * @description The sum in the currency of the workspace, with all its decimal places.
             */
            credited_total: string;
            /**
             * Format: int64
             * @description Direct and indirect credits.
             */
            credits: number;
            /**
             * Format: int64
             * @description Direct credits.
             */
            direct: number;
            /**
             * Format: int64
             * @description Held credits.
             */
            held: number;
            /**
             * Format: int64
             * @description Indirect credits.
             */
            indirect: number;
            /**
             * Format: int64
             * @description Decisions that could not be made.
             */
            parked: number;
            /**
             * Format: int64
             * @description Suppressed credits.
             */
            suppressed: number;
            /**
             * Format: int64
             * @description Recorded deals.
             */
            transactions: number;
            /**
             * Format: int64
             * @description Decisions without a credit.
             */
            uncredited: number;
        };
        /** @description What cases reach of a policy. */
        CoveredPolicy: {
            /** @description How many of them a case reaches. */
            covered: number;
            /** @description How many lines have a statement or an expression. */
            lines: number;
            /** @description The path of its file. */
            path: string;
            /** @description The others, by their number in the file. */
            unreached: number[];
        };
        /** @description Who gave or took back a credit, when and why. */
        CreditAct: {
            /** @description Why, if given. */
            comment: string | null;
            /**
             * Format: date
             * @description Business date of the act.
             */
            date: string;
            /** @description One of the workspace's reason codes. */
            reason_code: string;
            /** @description The user who asked for it. */
            who: string;
        };
        /** @description A credit that differs. */
        CreditDifference: {
            /**
             * Format: decimal
             * @description The amount now.
             */
            after: string | null;
            /**
             * Format: decimal
             * @description The amount on the statement before.
             */
            before: string | null;
            /** @description The credit type. */
            credit_type: string;
            /** @description The credit's id. */
            id: string;
            /** @description The status now. */
            status_after: components["schemas"]["CreditStatus"] | null;
            /** @description The status on the statement before. */
            status_before: components["schemas"]["CreditStatus"] | null;
            /** @description Natural key of the deal. */
            transaction: string;
            /** @description The unit of the amounts. */
            unit_type: string;
            /** @description What became of it. */
            what: components["schemas"]["DifferenceKind"];
        };
        /**
         * @description Whether a credit comes from the deal itself or from another credit.
         * @enum {string}
         */
        CreditKind: "direct" | "indirect";
        /**
         * @description How an entry came into its period.
         * @enum {string}
         */
        CreditOrigin: "calculated" | "manual" | "late" | "retro";
        /**
         * @description The status of a credit.
         * @enum {string}
         */
        CreditStatus: "active" | "held" | "suppressed" | "void";
        /** @description How far a run is. */
        CurrentRun: {
            /** @description Those that it has decided. */
            decided: number;
            /** @description Id of the plan. */
            plan: string;
            /**
             * Format: int64
             * @description The number of the run: `/v1/runs/{run}` shows it.
             */
            run: number;
            /** @description Transactions that it has to decide. */
            transactions: number;
        };
        /** @description A dead letter. */
        DeadLetter: {
            /** @description The sender's id of the delivery. */
            delivery: string;
            /** @description Why it cannot be read. */
            reason: string;
            /**
             * Format: date-time
             * @description The instant at which it arrived.
             */
            received: string;
            /**
             * Format: int64
             * @description Its place in the inbox.
             */
            sequence: number;
            /** @description Name of the source. */
            source: string;
        };
        /** @description The alert of a delivery that cannot be read, or that contradicts an earlier one. */
        DeadLetterAlert: {
            /** @description Who takes care of it. */
            assignee: string | null;
            /** @description `conflict` or `dead_letter`. */
            code: string;
            /** @description The sender's id of the delivery. */
            delivery: string;
            /** @description The id of the alert. */
            id: string;
            /** @description What is wrong with the delivery, in one sentence. */
            message: string;
            /**
             * Format: int64
             * @description Its place in the inbox.
             */
            sequence: number;
            /** @description Name of the source. */
            source: string;
            /** @description Always `intake`. */
            stage: string;
            /** @description Always null: what cannot be read has no natural key. */
            transaction: string | null;
        };
        /** @description A page of a list. */
        DeadLetterPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["DeadLetter"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A deal in a list: the columns of `COLUMNS`. */
        DealRow: {
            /**
             * Format: date
             * @description Incentive date; null if it cannot be read.
             */
            date: string | null;
            /** @description The sender's id of the delivery that brought its content. */
            delivery: string | null;
            /** @description Natural key. */
            id: string;
            /** @description The outcome in each plan, by the plan's id. */
            outcomes: {
                [key: string]: components["schemas"]["DecisionOutcome"];
            };
            /** @description Id of the period in which it was decided. */
            period: string | null;
            /** @description Name of the source that its content came from. */
            source: string | null;
            /**
             * Format: int32
             * @description Versions that came later than a newer one.
             */
            superseded: number;
            /**
             * Format: int32
             * @description 1 for the first content, and one more for every other.
             */
            version: number;
            /** @description The reason for which a person made it void; null for one that counts. */
            void: string | null;
        };
        /** @description A page of a list. */
        DealRowPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["DealRow"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description How far the decisions are that an activation asked for again. */
        DecidingAgain: {
            /**
             * Format: int64
             * @description The number of the activation.
             */
            activation: number;
            /**
             * Format: int64
             * @description Transactions that were decided again.
             */
            decided: number;
            /**
             * Format: int64
             * @description The number of the next transaction.
             */
            next: number;
        };
        /** @description How far the deciding is. */
        DecidingProgress: {
            /** @description The decisions that an activation asked for again; null where there are none. */
            deciding_again: components["schemas"]["DecidingAgain"] | null;
            /** @description Whether parked transactions are decided again. */
            deciding_parked: boolean;
            /** @description Whether nothing waits to be decided. */
            done: boolean;
            /**
             * Format: date
             * @description Business date of the last run.
             */
            last_run: string | null;
            /**
             * Format: int64
             * @description Deliveries that wait in the inbox.
             */
            pending: number;
            /** @description The run of a calculation that is under way. */
            running: components["schemas"]["CurrentRun"] | null;
        };
        /** @description Everything decided about one transaction in one plan. */
        Decision: {
            /** @description Alerts that the plan asks for. */
            alerts: components["schemas"]["Note"][];
            /**
             * Format: date
             * @description The business date of the decision; none when nothing was released.
             */
            as_of: string | null;
            /** @description Credits in order, suppressed ones included. */
            credits: components["schemas"]["PostedCredit"][];
            /** @description Everything worth a warning, asked for or not. */
            log: components["schemas"]["Note"][];
            /** @description The outcome of the decision. */
            outcome: components["schemas"]["DecisionOutcome"];
            /** @description Leaf period of the incentive date; none when it has none. */
            period: string | null;
            /** @description The plan. */
            plan: string;
            /** @description Why it was not credited or is parked: one or more unless credited or filtered. */
            reasons: components["schemas"]["Note"][];
            /** @description The ruleset that decided. */
            ruleset: string;
            /** @description The deal. */
            transaction: string;
        };
        /** @description Where two decisions about one transaction part. */
        DecisionDifference: {
            /** @description The difference in one sentence. */
            message: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The rule of the first credit that differs. */
            rule: string | null;
            /** @description Natural key of the transaction. */
            transaction: string;
            /** @description `outcome`, `added`, `removed`, `amount`, `status`, `payee` or `detail`. */
            what: string;
        };
        /**
         * @description What became of a transaction in a plan.
         * @enum {string}
         */
        DecisionOutcome: "filtered" | "credited" | "uncredited" | "parked";
        /**
         * @description What differs between two sets of files. Its fields are in the order of the alphabet, as they are
         *     written.
         */
        DefinitionChanges: {
            /** @description Every file that differs. */
            files: components["schemas"]["FileDifference"][];
            /** @description Every rule that differs. */
            rules: components["schemas"]["RuleDifference"][];
        };
        /** @description A part of a file that defines something. */
        DefinitionSite: {
            /** @description Path of the file. */
            file: string;
            /** @description The name in it. */
            range: components["schemas"]["TextRange"];
        };
        /** @description The answer to a delivery that is stored. Its keys are in alphabetical order, as in every answer. */
        DeliveryAnswer: {
            /** @description What deals lose; left out if they lose nothing, and for a duplicate. */
            columns_missing?: {
                [key: string]: string[];
            };
            /** @description True if the same id had been received with another body; otherwise left out. */
            conflict?: boolean;
            /** @description The sender's id of the delivery. */
            delivery: string;
            /** @description Whether the same delivery had been received before. */
            duplicate: boolean;
            /** @description Natural keys of its transactions. */
            transactions: string[];
        };
        /** @description A person of the sample company whom one can look at it as. */
        DemoSignIn: {
            /** @description The address that the person signs in with. */
            email: string;
            /** @description The name. */
            name: string;
            /** @description The participant whom the person is; null for the staff. */
            participant: string | null;
            /** @description The password, which was made for this run of the sample company. */
            password: string;
            /** @description What the person may do in accredit. */
            role: string;
            /** @description What the person does. */
            title: string;
        };
        /** @description A system that is told of events. */
        Destination: {
            /** @description Events that were not taken in any try, counted up to 1,000. */
            dead: number;
            /** @description The kinds of events that it wants. */
            events: string[];
            /** @description Its name in `accredit.toml`. */
            name: string;
            /** @description What a person has to do before events can be sent; null if nothing. */
            needs: string | null;
            /**
             * Format: int32
             * @description How often the oldest event that waits was tried; null if none waits.
             */
            oldest_attempts: number | null;
            /** @description Why its last try failed; null if it was not tried. */
            oldest_error: string | null;
            /** @description Events that it has taken and that are kept, counted up to 1,000. */
            sent: number;
            /** @description Where events are sent; null if `accredit.toml` no longer names it. */
            url: string | null;
            /** @description Events that wait, counted up to 1,000. */
            waiting: number;
        };
        /** @description A page of a list. */
        DestinationPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Destination"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description The answer to a test. */
        DestinationTestAnswer: {
            /** @description The id of the event that is sent. */
            id: string;
        };
        /** @description A decision that does not come out as it was recorded. */
        Deviation: {
            message: string;
            plan: string;
            ruleset: string;
            transaction: string;
        };
        /** @description One finding of `accredit check`. */
        Diagnostic: {
            /** @description What kind of finding it is, `CRnnn`. */
            code: string;
            /**
             * Format: int32
             * @description Column in characters, from 1.
             */
            column: number;
            /** @description Path inside the customer's directory, with `/` between folders. */
            file: string;
            /** @description What to do about it. */
            help: string | null;
            /**
             * Format: int32
             * @description Line number, counted from 1.
             */
            line: number;
            /** @description What is wrong: lower case, no final period, the author's words in backticks. */
            message: string;
            /** @description Whether the finding prevents activation. */
            severity: components["schemas"]["Severity"];
        };
        /**
         * @description What became of a row of a statement.
         * @enum {string}
         */
        DifferenceKind: "added" | "gone" | "changed";
        /** @description A deal that is recorded with other values. */
        DifferentDeal: {
            /** @description Both values, by column. */
            columns: {
                [key: string]: components["schemas"]["DifferentValue"];
            };
            /** @description Its natural key. */
            id: string;
        };
        /** @description Two values of one column, as text; blank where there is none. */
        DifferentValue: {
            /** @description In the list. */
            listed: string;
            /** @description As it is recorded. */
            recorded: string;
        };
        /** @description What one payee earns in a period by one reward of a plan. */
        EarnedReward: {
            /**
             * Format: decimal
             * @description What is paid, in `unit_type`, at the unit's scale.
             */
            amount: string;
            /**
             * Format: decimal
             * @description `credited` as a share of the quota, four decimals.
             */
            attainment: string | null;
            /** @description The frozen period that the row corrects; none unless the origin is `retro`. */
            corrects: string | null;
            /** @description The credit types that count, joined by `;`. */
            credit_type: string;
            /**
             * Format: decimal
             * @description The sum of their active credits, in `credited_unit_type`; to date where the reward is.
             */
            credited: string;
            /** @description The unit of the credits. */
            credited_unit_type: string;
            /** @description Ids of the credits that count, in order. */
            credits: string[];
            /**
             * @description A hash of plan, period, reward, payee, team, the unit of the credits and, where it corrects
             *     one, that period, so that a re-run renames nothing.
             */
            id: string;
            /** @description Why the row exists. */
            origin: components["schemas"]["RewardOrigin"];
            /** @description The participant who is paid. */
            payee: string;
            /** @description The period in which the row counts. */
            period: string;
            /** @description The plan. */
            plan: string;
            /**
             * Format: decimal
             * @description What was expected, in the unit of the credits; none without a quota.
             */
            quota: string | null;
            /** @description Name of the reward or draw. */
            reward: string;
            /** @description The team whose credits these are; none where people are credited. */
            team: string | null;
            /**
             * @description The payee's currency; the unit of the credits if it cannot be exchanged or the payee has no
             *     currency.
             */
            unit_type: string;
        };
        /** @description A page of a list. */
        EarnedRewardPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["EarnedReward"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What check found. */
        EditorCheck: {
            /** @description Whether no finding is an error. */
            checks: boolean;
            /** @description What is wrong, by file and place, at most 500 findings. */
            diagnostics: components["schemas"]["EditorFinding"][];
            /** @description The hash of the ruleset that the files define; null where a finding is an error. */
            ruleset: string | null;
        };
        /** @description Files to check. */
        EditorCheckRequest: {
            /** @description Path to text, laid over the files in force; null takes a file away. */
            files: {
                [key: string]: string | null;
            };
        };
        /** @description A finding with the part of the text that it is about. */
        EditorFinding: {
            /** @description The code, as in `scripts/errors/`. */
            code: string;
            /** @description Path of the file. */
            file: string;
            /** @description What to do about it. */
            help: string | null;
            /** @description What is wrong. */
            message: string;
            /** @description The part of the file. */
            range: components["schemas"]["TextRange"];
            /** @description `error`, `warning` or `hint`. */
            severity: string;
        };
        /** @description What may be written. */
        EditorItems: {
            /** @description The nearest first, at most 200. */
            items: components["schemas"]["CompletionItem"][];
        };
        /** @description What is known of the name at a place. */
        EditorName: {
            /** @description Where it is defined; null where that is in no file. */
            definition: components["schemas"]["DefinitionSite"] | null;
            /** @description What it means; null where nothing is known of it. */
            hover: components["schemas"]["HoverText"] | null;
        };
        /** @description A place in a file as it is typed. */
        EditorPlaceRequest: {
            /**
             * Format: int32
             * @description Column of the place in characters, from 1.
             */
            column: number;
            /** @description Path to text, laid over the files in force; null takes a file away. */
            files?: {
                [key: string]: string | null;
            };
            /**
             * Format: int32
             * @description Line of the place, from 1.
             */
            line: number;
            /** @description The path of the file with the place. */
            path: string;
        };
        /** @description What becomes of a deal. */
        EditorRun: {
            /** @description Whether no finding about the files is an error; otherwise nothing was decided. */
            checks: boolean;
            /** @description What is wrong with the files, at most 500 findings. */
            diagnostics: components["schemas"]["EditorFinding"][];
            /** @description What each plan decides, with its steps, in the order in which plans are decided. */
            plans: components["schemas"]["Explanation"][];
            /** @description The hash of the ruleset that decided; null where none did. */
            ruleset: string | null;
        };
        /** @description A deal to try, and the files to try it on. */
        EditorRunRequest: {
            /**
             * Format: date
             * @description The business date; today by default.
             */
            as_of?: string | null;
            /** @description The deal as a source would deliver it: its columns. Either this or `transaction`. */
            deal?: {
                [key: string]: unknown;
            } | null;
            /** @description Path to text, laid over the files in force; null takes a file away. */
            files?: {
                [key: string]: string | null;
            };
            /** @description The only plan; absent, all of them. */
            plan?: string | null;
            /** @description The natural key of a recorded deal, whose manual releases and amounts count as well. */
            transaction?: string | null;
        };
        /** @description An enquiry with the way to the explanation that it is about. */
        Enquiry: {
            /**
             * Format: decimal
             * @description The amount of the credit when it was asked about.
             */
            actual: string | null;
            /** @description The last answer. */
            answer: components["schemas"]["EnquiryAnswer"] | null;
            /** @description Who wrote it: the payee, or a user for the payee. */
            asked_by: string | null;
            /** @description Who takes care of it. */
            assignee: string | null;
            /**
             * Format: int64
             * @description When it was asked, milliseconds since 1970.
             */
            at_ms: number;
            /** @description The id of the credit that it is about. */
            credit: string | null;
            /**
             * Format: decimal
             * @description The amount that the payee expected.
             */
            expected: string | null;
            /** @description The path at which the payee reads why; null without a transaction. */
            explain: string | null;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            id: number;
            /** @description `missing` or `incorrect`. */
            kind: string;
            /** @description The messages since it was asked, oldest first. */
            messages: components["schemas"]["EnquiryMessage"][];
            /** @description Id of the participant whom it concerns. */
            payee: string;
            /** @description `open`, `in_progress`, `resolved`, `rejected` or `closed`. */
            state: string;
            /** @description The question as it was written. */
            text: string;
            /** @description Natural key of the transaction that it is about. */
            transaction: string | null;
        };
        /** @description The alert of an enquiry. */
        EnquiryAlert: {
            /** @description Who takes care of the enquiry. */
            assignee: string | null;
            /** @description Always `enquiry`. */
            code: string;
            /** @description The id of the alert. */
            id: string;
            /** @description The payee, the kind and the text. */
            message: string;
            /** @description Id of the participant who asks. */
            payee: string;
            /** @description Always `release`. */
            stage: string;
            /** @description Natural key of the transaction that it is about. */
            transaction: string | null;
        };
        /** @description The answer to an enquiry. */
        EnquiryAnswer: {
            /**
             * Format: int64
             * @description The time in milliseconds since 1970.
             */
            at_ms: number;
            /** @description The answer as it was written. */
            text: string;
            /** @description Who answered: a token's name. */
            who: string;
        };
        /** @description Something that was said about an enquiry. */
        EnquiryMessage: {
            /**
             * Format: int64
             * @description The time in milliseconds since 1970.
             */
            at_ms: number;
            /** @description Whether it was said on the payee's side. */
            by_payee: boolean;
            /** @description The text of the message. */
            text: string;
            /** @description The author of the message: the payee or a user. */
            who: string;
        };
        /** @description A page of a list. */
        EnquiryPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Enquiry"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What an enquiry may say. */
        EnquiryRequest: {
            /** @description The id of a published credit that it is about. */
            credit?: string | null;
            /**
             * Format: decimal
             * @description The amount that the payee expects.
             */
            expected?: string | null;
            /** @description `missing` or `incorrect`. */
            kind: string;
            /** @description The question, 1 to 4000 characters. */
            text: string;
            /** @description Natural key of a transaction. */
            transaction?: string | null;
        };
        /** @description An event on its way to a destination. */
        Event: {
            /**
             * Format: date-time
             * @description The instant at which it happened.
             */
            at: string;
            /**
             * Format: int32
             * @description How often it was tried.
             */
            attempts: number;
            /** @description Its id, which the destination knows it by. */
            id: string;
            /** @description Its kind, such as `credit.held`. */
            kind: string;
            /** @description Why the last try failed; null if it did not fail. */
            last_error: string | null;
            /**
             * Format: date-time
             * @description The instant of the next try; null if it does not wait, or is due.
             */
            next: string | null;
            /** @description `waiting`, `sent` or `dead`. */
            state: string;
            /** @description What it is about. */
            subject: string;
        };
        /** @description A page of a list. */
        EventPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Event"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description The answer to a request that is not one delivery: a list of events, each with what became of it. */
        EventsAnswer: {
            /** @description One for each event, in their order. */
            deliveries: components["schemas"]["DeliveryAnswer"][];
        };
        /** @description A credit with the way to it. */
        ExplainedCredit: {
            /** @description The credit as it is recorded. */
            credit: components["schemas"]["PostedCredit"];
            /** @description The decision of its plan, step by step; null where the plan decided otherwise since. */
            why: components["schemas"]["Explanation"] | null;
        };
        /** @description One transaction in one plan, step by step. */
        Explanation: {
            /** @description The credits as they would be stored now. */
            credits: components["schemas"]["PostedCredit"][];
            /** @description The outcome of the decision. */
            outcome: components["schemas"]["DecisionOutcome"];
            /** @description Id of the plan. */
            plan: string;
            /** @description Why it was not credited or is parked. */
            reasons: components["schemas"]["Note"][];
            /** @description The ruleset that it was recomputed with. */
            ruleset: string;
            /** @description Every step in order, with the values seen. */
            steps: components["schemas"]["ExplanationLine"][];
            /** @description Natural key of the transaction. */
            transaction: string;
        };
        /** @description One step of an explanation. */
        ExplanationLine: {
            /** @description What happened, in one sentence with the values seen. */
            message: string;
            /** @description The stage that took the step, such as `crediting` or `hold`. */
            stage: string;
        };
        /** @description A part of the server that has a fault. */
        Fault: {
            /** @description Name of the part. */
            part: string;
            /** @description Why, and what to do about it. */
            reason: string;
            /**
             * Format: int64
             * @description For how many seconds.
             */
            seconds: number;
        };
        /** @description An event that waits for its deal. */
        Fetch: {
            /**
             * Format: int32
             * @description How often it was tried.
             */
            attempts: number;
            /** @description The sender's id of the delivery. */
            delivery: string;
            /** @description Its id: the place of its delivery in the inbox, a point, and its place in the delivery. */
            id: string;
            /** @description Why the last try gave nothing; null before the first one. */
            last_error: string | null;
            /**
             * Format: date-time
             * @description The instant from which on it is tried next.
             */
            next: string;
            /**
             * Format: date-time
             * @description The instant at which the event arrived; null if its delivery is gone.
             */
            received: string | null;
            /** @description Name of the source. */
            source: string;
        };
        /** @description A page of a list. */
        FetchPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Fetch"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A file in force. */
        File: {
            /** @description The hash of its text, 32 hexadecimal digits. */
            hash: string;
            /** @description Its path. */
            path: string;
        };
        /** @description A file that differs between two sets. */
        FileDifference: {
            /** @description A unified diff of its text. */
            diff: string;
            /** @description What it belongs to: `cases`, `plans`, `policies`, `organization` or `settings`. */
            part: string;
            /** @description Its path. */
            path: string;
            /** @description `added`, `changed` or `removed`. */
            what: string;
        };
        /** @description The files in force. */
        FileList: {
            /** @description A row for each file, by path. */
            data: components["schemas"]["File"][];
            /** @description Always null: the list is one page. */
            next_cursor: string | null;
            /** @description The hash of the ruleset that they define. */
            ruleset: string;
            /** @description The hash of all of them, case files included. */
            set: string;
        };
        /** @description A version of a file: an activation that changed its text. */
        FileVersion: {
            /**
             * Format: int64
             * @description The number of the activation.
             */
            activation: number;
            /** @description Whether it is in force. */
            active: boolean;
            /**
             * Format: date-time
             * @description The instant of the activation.
             */
            at: string;
            /** @description The reason as it was given. */
            comment: string | null;
            /** @description The hash of its text; null where the file was removed. */
            hash: string | null;
            /** @description The hash of the ruleset that it made. */
            ruleset: string;
            /** @description `start`, `api` or `watch`. */
            source: string;
            /** @description Labels of the activation. */
            tags: string[];
            /** @description The user who activated it. */
            who: string;
        };
        /** @description A page of a list. */
        FileVersionPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["FileVersion"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description Whether an act is forced, and why it is done. */
        ForcedReason: {
            /**
             * @description Whether it is done although something speaks against it.
             * @default false
             */
            force: boolean;
            /** @description Why, which a forced act needs. */
            reason?: string | null;
        };
        /** @description Which held credits; every part that is given must fit. */
        HoldFilter: {
            /** @description Why they are released; this selects nothing. */
            comment?: string | null;
            /** @description The credit type. */
            credit_type?: string | null;
            /** @description Id of the participant. */
            payee?: string | null;
            /** @description Id of a period; credits of its leaf periods. */
            period?: string | null;
            /** @description Id of the plan. */
            plan?: string | null;
            /** @description Id of the position. */
            position?: string | null;
            /** @description One of the workspace's reason codes. */
            reason_code?: string | null;
            /** @description Natural key of the transaction. */
            transaction?: string | null;
        };
        /** @description A hint. */
        HoverText: {
            /** @description What the name means, in Markdown. */
            contents: string;
            /** @description The part of the file that is meant. */
            range: components["schemas"]["TextRange"];
        };
        /** @description A credit that a payee would get. */
        ImaginedCredit: {
            /**
             * Format: decimal
             * @description The amount.
             */
            amount: string;
            /** @description The credit type. */
            credit_type: string;
            /** @description Whether it would wait for its release; its rewards are counted all the same. */
            held: boolean;
            /**
             * Format: date
             * @description When the hold would end; null for one without a date, and without a hold.
             */
            held_until: string | null;
            /** @description Direct or indirect. */
            kind: components["schemas"]["CreditKind"];
            /** @description Id of the plan. */
            plan: string;
            /** @description The plan's name for people. */
            plan_name: string;
            /** @description The rule of the plan. */
            rule: string;
            /** @description The team that is credited; null for a person. */
            team: string | null;
            /** @description Its unit. */
            unit_type: string;
        };
        /** @description A reward without a deal and with it. */
        ImaginedReward: {
            /**
             * Format: decimal
             * @description The same with the deal.
             */
            after: string;
            /**
             * Format: decimal
             * @description By what is published.
             */
            before: string;
            /**
             * Format: decimal
             * @description What the deal adds.
             */
            difference: string;
            /** @description What the tier behind that asks for; null in the last one. */
            next_tier: components["schemas"]["NextTier"] | null;
            /** @description The period in which it counts. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The plan's name for people. */
            plan_name: string;
            /** @description Name of the reward or draw. */
            reward: string;
            /** @description The team whose credits these are; null where people are credited. */
            team: string | null;
            /** @description The same with the deal. */
            tier_after: number | null;
            /** @description The place of the tier that is reached without the deal, from 0; null without tiers. */
            tier_before: number | null;
            /** @description The unit of the amounts. */
            unit_type: string;
        };
        /** @description An impact as it goes out. */
        ImpactReport: {
            /** @description The sums of each credit type. */
            by_credit_type: components["schemas"]["MoneyLine"][];
            /** @description By position that others report to. */
            by_manager: components["schemas"]["MoneyLine"][];
            /** @description The sums of each payee. */
            by_payee: components["schemas"]["MoneyLine"][];
            /** @description The sums of each plan. */
            by_plan: components["schemas"]["MoneyLine"][];
            /** @description Where transactions part, up to a limit. */
            differences: components["schemas"]["DecisionDifference"][];
            /**
             * Format: int64
             * @description Transactions whose decisions differ.
             */
            differing: number;
            /** @description In all, a line a unit type. */
            total: components["schemas"]["MoneyLine"][];
            /**
             * Format: int64
             * @description Transactions that were compared.
             */
            transactions: number;
        };
        /** @description The answer to an import. */
        ImportAnswer: {
            /** @description Mapped columns that deals lose with the import, by natural key; left out if none does. */
            columns_missing?: {
                [key: string]: string[];
            };
            /** @description The delimiter of a text body, if it was not given but detected. */
            delimiter?: string;
            /** @description Deliveries that the rows made; 0 if they said nothing new. */
            deliveries: number;
            /** @description The key of the import: the sender's `Idempotency-Key` or one that the server made. */
            delivery: string;
            /** @description Whether all of them had been received before. */
            duplicate: boolean;
            /** @description Rows in the body. */
            rows: number;
            /** @description What is odd about rows that are taken all the same; left out if nothing is. */
            warnings?: components["schemas"]["RowWarning"][];
        };
        /** @description A person with an invitation. */
        Invited: {
            /**
             * Format: date-time
             * @description When the account was made.
             */
            created: string;
            /** @description Who made it. */
            created_by: string;
            /** @description The address of mail with which the person signs in. */
            email: string;
            /** @description Whether a password is set. */
            has_password: boolean;
            /** @description The id. */
            id: string;
            /** @description What the person sets a password with, at `/v1/invitations/{token}`: it is not shown again. */
            invitation: string;
            /**
             * Format: date-time
             * @description Until when an invitation works; null where none is open.
             */
            invited_until: string | null;
            /** @description The name in the audit trail. */
            name: string;
            /** @description The participant of a payee. */
            participant: string | null;
            /** @description What the person may do. */
            role: string;
            /** @description `active`, `disabled`, or `waiting` for a second person. */
            state: string;
        };
        /** @description A change that is kept. */
        KeptChange: {
            /** @description Who approved it; null where no person did. */
            approved: components["schemas"]["SignOff"] | null;
            /**
             * Format: date-time
             * @description The instant at which it was made.
             */
            at: string;
            /** @description The hash of the ruleset that it was made for. */
            base: string;
            /** @description The diagnostics of check. */
            diagnostics: unknown;
            /** @description What it means for credits that exist: `now`, `recredit` or `from:2026-01-31`. */
            effective: string;
            /** @description The hash of the new text by path; null where the file is removed. */
            files: {
                [key: string]: string | null;
            };
            /** @description The reason for removing people with credits or rewards. */
            force?: string;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            id: number;
            /** @description More money than this it must not move. */
            limits: components["schemas"]["Limits"];
            /** @description The money that it moved by the transactions of when it was kept. */
            money?: components["schemas"]["MoneyEffect"];
            /** @description Whether it brings back an earlier set. */
            rollback: boolean;
            /** @description The hash of the ruleset that it makes; null where it could not be built. */
            ruleset: string | null;
            /** @description `api`, `watch` or `start`. */
            source: string;
            /** @description What became of it so far; `shadow` while it runs beside the rules in force. */
            state: components["schemas"]["KeptChangeState"];
            /** @description Labels to find it by. */
            tags: string[];
            /** @description The user who made it. */
            who: string;
            /** @description The reason as it was given. */
            why: string | null;
        };
        /** @description The state of a kept change. */
        KeptChangeState: components["schemas"]["ProposalState"] | string;
        /** @description A key without its secret. */
        Key: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created: string;
            /** @description Who made it. */
            created_by: string;
            /**
             * Format: date-time
             * @description When it expires; null where it does not.
             */
            expires: string | null;
            /** @description Its id, which is a part of the key. */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, to the minute after a restart; null where it never was.
             */
            last_used: string | null;
            /** @description The name in the audit trail. */
            name: string;
            /** @description The participant of a payee's key. */
            participant: string | null;
            /** @description What it may do. */
            role: string;
            /** @description What the natural keys begin with that a source's key may send. */
            scope: string | null;
            /** @description `active`, or `waiting` for a second person. */
            state: string;
        };
        /** @description A page of a list. */
        KeyPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Key"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What a new key should be. */
        KeyRequest: {
            /** @description A date or a moment; without it the key does not expire. */
            expires?: string | null;
            /** @description The name in the audit trail; no other key or token may have it. */
            name: string;
            /** @description For a payee: the participant whose data the key reads. */
            participant?: string | null;
            /** @description `admin`, `author`, `approver`, `reader`, `auditor`, `source` or `payee`. */
            role: string;
            /** @description For a source: what the natural keys begin with of the deals that it may send. */
            scope?: string | null;
        };
        /** @description The state of a leaf period after an act. */
        LeafState: {
            /** @description Its id in the calendar. */
            id: string;
            /** @description The last act of a person. */
            said: components["schemas"]["PeriodState"] | null;
        };
        /** @description Counts of the recorded rows. */
        LedgerCounts: {
            /**
             * @description Direct credits that are not suppressed, summed by unit type; a sum that no decimal holds
             *     stays at the largest one.
             */
            credited: {
                [key: string]: string;
            };
            /**
             * Format: int64
             * @description Direct and indirect, held ones included, suppressed ones not.
             */
            credits: number;
            /** Format: int64 */
            direct: number;
            /** Format: int64 */
            held: number;
            /** Format: int64 */
            indirect: number;
            /** Format: int64 */
            parked: number;
            /** Format: int64 */
            suppressed: number;
            /** Format: int64 */
            transactions: number;
            /** Format: int64 */
            uncredited: number;
        };
        /** @description Where a sum stops an activation. */
        Limits: {
            /**
             * Format: decimal
             * @description What one payee gains or loses in one unit type.
             */
            max_payee: string | null;
            /**
             * Format: decimal
             * @description All that moves, in either direction, in one unit type.
             */
            max_total: string | null;
        };
        /** @description Something that feeds something else. */
        LineageEdge: {
            /** @description Id of the node that is read. */
            from: string;
            /** @description Id of the node that reads it. */
            to: string;
            /** @description For what it is read. */
            why: string;
        };
        /** @description What feeds what. */
        LineageGraph: {
            /** @description What feeds what, by both ends. */
            edges: components["schemas"]["LineageEdge"][];
            /** @description Everything that feeds or is fed, by kind and name. */
            nodes: components["schemas"]["LineageNode"][];
        };
        /** @description Something that feeds or is fed. */
        LineageNode: {
            /** @description The file that it stands in; null for a column. */
            file: string | null;
            /** @description Its kind and its name: `rule:sellers/Booking`. */
            id: string;
            /**
             * @description `column`, `table`, `attribute`, `aliases`, `quotas`, `query`, `policy`, `source`, `plan`, `rule`,
             *     `result`, `credit_type`, `reward` or `draw`.
             */
            kind: string;
            /**
             * Format: int32
             * @description The line of the file, from 1, where it is known.
             */
            line: number | null;
            /** @description Its name for people. */
            name: string;
            /** @description The plan that it belongs to; null for what belongs to none. */
            plan: string | null;
        };
        /** @description What an open page is told. */
        LiveNews: {
            /** @description How far the deciding is; null for payees. */
            progress: components["schemas"]["DecidingProgress"] | null;
            /**
             * Format: int64
             * @description Counts up with every commit since the start of the server.
             */
            revision: number;
            /** @description Hash of the ruleset in force. */
            ruleset: string;
        };
        /** @description The answer of a process that runs. */
        Liveness: {
            /** @description Always `live`. */
            status: string;
        };
        /** @description An adjustment that was made, with its credit. */
        MadeAdjustment: {
            /** @description The adjustment. */
            adjustment: components["schemas"]["Adjustment"];
            /** @description The credit as it is now; null for an adjustment of a transaction. */
            credit: components["schemas"]["PostedCredit"] | null;
        };
        /** @description A credit that a person gives without a deal. */
        ManualCredit: {
            /**
             * Format: decimal
             * @description The amount at the scale of its unit, negative allowed.
             */
            amount: string;
            /** @description The credit type. */
            credit_type: string;
            /** @description Who gave it, when and why. */
            given: components["schemas"]["CreditAct"];
            /**
             * Format: date
             * @description The incentive date.
             */
            incentive_date: string;
            /** @description What stands in place of the deal's natural key. */
            key: string;
            /** @description The participant who was named; without one the credit is that of the position's holder. */
            payee: string | null;
            /** @description The plan. */
            plan: string;
            /** @description The position that is credited. */
            position: string;
            /** @description Who took it back, when and why. */
            reversed: components["schemas"]["CreditAct"] | null;
            /** @description Whether it rolls up as credits of deals do. */
            rolls_up: boolean;
            /** @description The unit of the amount. */
            unit_type: string;
        };
        /** @description An act by which a person gave a credit, or took one back. */
        ManualCreditAct: {
            /** @description Who approved it, where a second person had to. */
            approved: components["schemas"]["Approval"] | null;
            /** @description The comment as it was given. */
            comment: string | null;
            /**
             * @description The direct entry that the act made, as it is posted now; its period is the one in which it
             *     counts.
             */
            credit: components["schemas"]["PostedCredit"] | null;
            /**
             * Format: date
             * @description Business date of the act.
             */
            date: string;
            /** @description One of the workspace's reason codes. */
            reason_code: string;
            /** @description The period that was asked for, if one was. */
            requested_period: string | null;
            /** @description The entry that it takes back. */
            reverses: string | null;
            /** @description Whether it rolls up as credits of deals do. */
            rolls_up: boolean;
            /** @description What stands in place of the deal's natural key. */
            transaction: string;
            /** @description The user who did it. */
            who: string;
        };
        /** @description A page of a list. */
        ManualCreditActPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["ManualCreditAct"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What a manual credit says: `reverses`, or the parts of a new one. */
        ManualCreditRequest: {
            /**
             * Format: decimal
             * @description The amount, below zero allowed.
             */
            amount?: string | null;
            /** @description Why. */
            comment?: string | null;
            /** @description One of the workspace's credit types. */
            credit_type?: string | null;
            /**
             * Format: date
             * @description A day on which the plan is in force; by default the period's last.
             */
            incentive_date?: string | null;
            /** @description Id of a participant. */
            payee?: string | null;
            /** @description A period of the plan's own kind. */
            period?: string | null;
            /** @description Id of a plan. */
            plan?: string | null;
            /** @description Id of a position; by default the only one that the payee holds. */
            position?: string | null;
            /** @description One of the workspace's reason codes. */
            reason_code?: string | null;
            /** @description The id of a manual credit that is taken back; only `reason_code` and `comment` go with it. */
            reverses?: string | null;
            /** @description Whether it rolls up as credits of deals do; by default it does not. */
            rolls_up?: boolean | null;
            /** @description The unit; by default the workspace's currency. */
            unit_type?: string | null;
        };
        /** @description A reward that a person added. */
        ManualReward: {
            /** @description Who approved it, where a second person had to. */
            approved: components["schemas"]["Approval"] | null;
            /** @description The comment as it was given. */
            comment: string | null;
            /**
             * Format: date
             * @description Business date on which it was made.
             */
            date: string;
            /** @description One of the workspace's reason codes. */
            reason_code: string;
            /** @description The period that was asked for. */
            requested_period: string;
            /** @description The reward that it takes back. */
            reverses: string | null;
            /** @description The row that is paid; its period is the one in which it counts. */
            reward: components["schemas"]["EarnedReward"];
            /** @description The user who made it. */
            who: string;
        };
        /** @description A page of a list. */
        ManualRewardPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["ManualReward"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What a manual reward says: `reverses`, or the parts of a new one. */
        ManualRewardRequest: {
            /**
             * Format: decimal
             * @description The amount, below zero allowed.
             */
            amount?: string | null;
            /** @description Why. */
            comment?: string | null;
            /** @description What the row is called; by default `Manual reward`. */
            name?: string | null;
            /** @description Id of a participant. */
            payee?: string | null;
            /** @description A period of the plan's own kind. */
            period?: string | null;
            /** @description Id of a plan. */
            plan?: string | null;
            /** @description One of the workspace's reason codes. */
            reason_code?: string | null;
            /** @description The id of a manual reward that is taken back; only `reason_code` and `comment` go with it. */
            reverses?: string | null;
            /** @description The unit; by default the workspace's currency. */
            unit_type?: string | null;
        };
        /** @description What a message says. */
        MessageRequest: {
            /** @description The message, 1 to 4000 characters. */
            text: string;
        };
        /** @description A deal that is not recorded. */
        MissingDeal: {
            /**
             * Format: decimal
             * @description Its amount as decimal text, if it can be read.
             */
            amount: string | null;
            /** @description Its natural key. */
            id: string;
            /**
             * Format: date
             * @description Its incentive date, if it can be read.
             */
            incentive_date: string | null;
            /** @description Its row as an import takes it, if the list is from the CRM's API. */
            row?: {
                [key: string]: unknown;
            };
        };
        /** @description What a change of definitions moves. */
        MoneyEffect: {
            /** @description Balances that differ at the end of the last period, the biggest difference first. */
            balance_lines?: components["schemas"]["BalanceLine"][];
            /**
             * @description What the recorded deals of open periods are credited. A change that is effective `now`
             *     leaves existing credits alone: then these are the results of the same deals under its rules.
             */
            credits: components["schemas"]["MovedMoney"];
            /** @description How many lines are left out, since there are more than 1,000 of a kind. */
            lines_left_out?: number;
            /** @description Quotas that differ, in order of payees. */
            quota_lines?: components["schemas"]["QuotaLine"][];
            /** @description Rewards that differ, the biggest difference first. */
            reward_lines?: components["schemas"]["RewardLine"][];
            /** @description What the credits that exist are rewarded with. */
            rewards: components["schemas"]["MovedMoney"];
            /** @description By position that others report to, directly or not, on the last day of each period. */
            rewards_by_manager?: components["schemas"]["MoneyLine"][];
            /** @description The sums of each payee over all plans and periods, the biggest difference first. */
            rewards_by_payee?: components["schemas"]["MoneyLine"][];
        };
        /** @description An amount before and after a change; both include what is held. */
        MoneyLine: {
            /**
             * Format: decimal
             * @description The amount under the new rules.
             */
            after: string;
            /**
             * Format: decimal
             * @description By the rules that decided.
             */
            before: string;
            /**
             * Format: decimal
             * @description The difference between the two amounts.
             */
            difference: string;
            /**
             * Format: decimal
             * @description What of `after` is held.
             */
            held_after: string;
            /**
             * Format: decimal
             * @description What of `before` is held.
             */
            held_before: string;
            /** @description Of whom or what; blank for all. */
            name: string;
            /** @description Unit type of the amounts. */
            unit_type: string;
        };
        /** @description Money of one kind that a change moves. */
        MovedMoney: {
            /** @description The payees with the biggest differences, the biggest first. */
            biggest: components["schemas"]["MoneyLine"][];
            /** @description Credit types whose sums differ, also where no payee has another amount. */
            by_credit_type: components["schemas"]["MoneyLine"][];
            /** @description Plans whose sums differ, also where no payee has another amount. */
            by_plan: components["schemas"]["MoneyLine"][];
            /** @description How many payees have another amount. */
            payees: number;
            /** @description The amounts of those payees added up, a line a unit type. */
            total: components["schemas"]["MoneyLine"][];
        };
        /** @description A key that was made, or got another secret. */
        NewKey: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created: string;
            /** @description Who made it. */
            created_by: string;
            /**
             * Format: date-time
             * @description When it expires; null where it does not.
             */
            expires: string | null;
            /** @description Its id, which is a part of the key. */
            id: string;
            /** @description The whole of it: it is not shown again. */
            key: string;
            /**
             * Format: date-time
             * @description When it was last used, to the minute after a restart; null where it never was.
             */
            last_used: string | null;
            /** @description The name in the audit trail. */
            name: string;
            /** @description The participant of a payee's key. */
            participant: string | null;
            /** @description What it may do. */
            role: string;
            /** @description What the natural keys begin with that a source's key may send. */
            scope: string | null;
            /** @description `active`, or `waiting` for a second person. */
            state: string;
        };
        /** @description The tier behind the one that is reached. */
        NextTier: {
            /**
             * Format: decimal
             * @description Where it begins: what is above this amount is in it.
             */
            from: string;
            /**
             * Format: decimal
             * @description What must still be credited to come to its beginning.
             */
            missing: string;
            /**
             * Format: decimal
             * @description What is paid of one unit in it.
             */
            rate: string;
        };
        /** @description One thing to know about a transaction in a plan: why it got nothing, or an alert. */
        Note: {
            /** @description What it says, as one word. */
            code: components["schemas"]["NoteCode"];
            /**
             * Format: int32
             * @description Column in it, from 1.
             */
            column: number | null;
            /** @description The author's file, if a script was running. */
            file: string | null;
            /**
             * Format: int32
             * @description Line in it, from 1.
             */
            line: number | null;
            /** @description What is to be known, in one sentence. */
            message: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The policy's name, if one was running. */
            policy: string | null;
            /** @description The stage that it comes from. */
            stage: components["schemas"]["NoteStage"];
            /** @description Natural key; blank, and null in JSON, of what is about no transaction. */
            transaction: string | null;
        };
        /** @description The alert of a decision, a reward or an adjustment. */
        NoteAlert: {
            /** @description Who takes care of it. */
            assignee: string | null;
            /** @description What it says, as one word. */
            code: components["schemas"]["NoteCode"];
            /**
             * Format: int32
             * @description Column in it, from 1.
             */
            column: number | null;
            /** @description The author's file, if a script was running. */
            file: string | null;
            /** @description The id of the alert; an alert with another message is another one. */
            id: string;
            /**
             * Format: int32
             * @description Line in it, from 1.
             */
            line: number | null;
            /** @description What is to be known, in one sentence. */
            message: string;
            /** @description Leaf period of the incentive date; none when the transaction has none. */
            period: string | null;
            /** @description Id of the plan. */
            plan: string;
            /** @description The policy's name, if one was running. */
            policy: string | null;
            /** @description The stage that it comes from. */
            stage: components["schemas"]["NoteStage"];
            /** @description Natural key; blank, and null in JSON, of what is about no transaction. */
            transaction: string | null;
        };
        /**
         * @description What a note says, as one word.
         * @enum {string}
         */
        NoteCode: "unmatched" | "nobody" | "no_rule" | "condition" | "vacant" | "team_without_members" | "over_maximum" | "total_not_one" | "ambiguous_alias" | "ambiguous" | "several_recipients" | "mixed_weights" | "no_position" | "no_period" | "bad_value" | "policy_error" | "no_currency" | "no_exchange_rate" | "release_in_other_year" | "closed_period" | "conflict" | "columns_missing" | "adjustment_not_applied" | "no_quota" | "confirmed_differs" | "open_balance" | "void";
        /** @description A page of a list. */
        NotePage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Note"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A note with the period of its transaction. */
        NoteRow: {
            /** @description What it says, as one word. */
            code: components["schemas"]["NoteCode"];
            /**
             * Format: int32
             * @description Column in it, from 1.
             */
            column: number | null;
            /** @description The author's file, if a script was running. */
            file: string | null;
            /**
             * Format: int32
             * @description Line in it, from 1.
             */
            line: number | null;
            /** @description What is to be known, in one sentence. */
            message: string;
            /** @description Leaf period of the incentive date; none when the transaction has none. */
            period: string | null;
            /** @description Id of the plan. */
            plan: string;
            /** @description The policy's name, if one was running. */
            policy: string | null;
            /** @description The stage that it comes from. */
            stage: components["schemas"]["NoteStage"];
            /** @description Natural key; blank, and null in JSON, of what is about no transaction. */
            transaction: string | null;
        };
        /** @description A page of a list. */
        NoteRowPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["NoteRow"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /**
         * @description The part of the work that a note comes from.
         * @enum {string}
         */
        NoteStage: "intake" | "filter" | "crediting" | "value" | "hold" | "duplication" | "rollup" | "maximum" | "posting" | "adjustment" | "reward";
        /** @description An organisation on a day. */
        OrganizationChart: {
            /** @description The days on which anything of the organisation changes, in order. */
            changes: string[];
            /**
             * Format: date
             * @description The day.
             */
            on: string;
            /** @description The positions, in the order of the files. */
            positions: components["schemas"]["ChartPosition"][];
            /** @description Relationships of declared types. */
            relationships: components["schemas"]["ChartRelationship"][];
            /** @description The teams. */
            teams: components["schemas"]["ChartTeam"][];
            /** @description People who hold no position. */
            without_position: components["schemas"]["ChartPerson"][];
        };
        /** @description A published balance with the standing of its statement. */
        OwnBalance: {
            /**
             * Format: decimal
             * @description What is owed when the period ends; never below zero.
             */
            balance: string;
            /**
             * Format: decimal
             * @description What the period added, negative where it was recovered.
             */
            change: string;
            /** @description Whether the amounts of the statement are certain. */
            confirmed: boolean;
            /** @description The name of the draw; `carried` for amounts below zero. */
            name: string;
            /**
             * Format: decimal
             * @description What was owed when the period began, in `unit_type`.
             */
            opening: string;
            /** @description The participant who owes it. */
            payee: string;
            /** @description The period at whose end this is owed. */
            period: string;
            /** @description The plan. */
            plan: string;
            /** @description The unit of the three amounts. */
            unit_type: string;
        };
        /** @description A page of a list. */
        OwnBalancePage: {
            /** @description The rows of the page. */
            data: components["schemas"]["OwnBalance"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A published credit with the standing of its statement. */
        OwnCredit: {
            /**
             * Format: decimal
             * @description The amount.
             */
            amount: string;
            /**
             * Format: decimal
             * @description The amount before a maximum cut it; null where none did.
             */
            before_maximum: string | null;
            /** @description Whether the amounts of the statement are certain. */
            confirmed: boolean;
            /** @description The credit type. */
            credit_type: string;
            /** @description The path at which the payee reads why. */
            explain: string;
            /** @description The credit's id. */
            id: string;
            /**
             * Format: date
             * @description The date of the deal that decides everything else.
             */
            incentive_date: string;
            /** @description Direct or indirect. */
            kind: components["schemas"]["CreditKind"];
            /** @description How it came into its period. */
            origin: components["schemas"]["CreditOrigin"];
            /** @description The leaf period in which it is posted. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The position that is credited; null for a team. */
            position: string | null;
            /** @description Why it does not count. */
            reason: string | null;
            /** @description The reason code of the rule or of the person who adjusted it. */
            reason_code: string | null;
            /** @description The relationship along which an indirect credit was rolled. */
            relationship: string | null;
            /**
             * Format: date
             * @description When a hold ends or ended; null for a hold without a date.
             */
            release_date: string | null;
            /** @description The entry that this one takes back. */
            reverses: string | null;
            /** @description The rule of the plan. */
            rule: string;
            /** @description The status, which says whether the credit counts. */
            status: components["schemas"]["CreditStatus"];
            /** @description The team that is credited, or through which the position was found. */
            team: string | null;
            /** @description Natural key of the deal. */
            transaction: string;
            /** @description The unit of the amount. */
            unit_type: string;
        };
        /** @description A page of a list. */
        OwnCreditPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["OwnCredit"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A credit of the caller with the reason for it. */
        OwnExplainedCredit: {
            /** @description The credit, as the list of credits has it. */
            credit: components["schemas"]["OwnCredit"];
            /** @description What its plan gave of the deal, and why nothing more; null where the plan decides the deal no more. */
            why: components["schemas"]["OwnPlan"] | null;
        };
        /** @description One reason, in the words for payees. */
        OwnFinding: {
            /** @description A word that stays. */
            code: string;
            /** @description The reason in one sentence. */
            message: string;
            /** @description The rule, if one is to blame. */
            rule: string | null;
            /** @description The step of the plan. */
            stage: string;
        };
        /** @description A period of which something is published, or that goes on. */
        OwnPeriod: {
            /**
             * Format: date
             * @description First day.
             */
            first: string;
            /** @description Its id in the calendar. */
            id: string;
            /**
             * Format: date
             * @description Last day; null where the calendar has no end of it.
             */
            last: string | null;
            /** @description The plans of which something is published. */
            plans: string[];
        };
        /** @description A page of a list. */
        OwnPeriodPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["OwnPeriod"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What the subject got of a transaction in one plan, and why nothing more. */
        OwnPlan: {
            /** @description Whether a published credit is theirs. */
            credited: boolean;
            /** @description Their published credits. */
            credits: components["schemas"]["PayeeCredit"][];
            /** @description Why nothing, or nothing more, in the order of the steps. */
            findings: components["schemas"]["OwnFinding"][];
            /** @description Id of the plan. */
            plan: string;
        };
        /** @description A published reward with the standing of its statement. */
        OwnReward: {
            /**
             * Format: decimal
             * @description What is paid, in `unit_type`, at the unit's scale.
             */
            amount: string;
            /**
             * Format: decimal
             * @description `credited` as a share of the quota, four decimals.
             */
            attainment: string | null;
            /** @description Whether the amounts of the statement are certain. */
            confirmed: boolean;
            /** @description The frozen period that the row corrects; none unless the origin is `retro`. */
            corrects: string | null;
            /** @description The credit types that count, joined by `;`. */
            credit_type: string;
            /**
             * Format: decimal
             * @description The sum of their active credits, in `credited_unit_type`; to date where the reward is.
             */
            credited: string;
            /** @description The unit of the credits. */
            credited_unit_type: string;
            /** @description Ids of the credits that count, in order. */
            credits: string[];
            /**
             * @description A hash of plan, period, reward, payee, team, the unit of the credits and, where it corrects
             *     one, that period, so that a re-run renames nothing.
             */
            id: string;
            /** @description Why the row exists. */
            origin: components["schemas"]["RewardOrigin"];
            /** @description The participant who is paid. */
            payee: string;
            /** @description The period in which the row counts. */
            period: string;
            /** @description The plan. */
            plan: string;
            /**
             * Format: decimal
             * @description What was expected, in the unit of the credits; none without a quota.
             */
            quota: string | null;
            /** @description Name of the reward or draw. */
            reward: string;
            /** @description The team whose credits these are; none where people are credited. */
            team: string | null;
            /**
             * @description The payee's currency; the unit of the credits if it cannot be exchanged or the payee has no
             *     currency.
             */
            unit_type: string;
        };
        /** @description A page of a list. */
        OwnRewardPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["OwnReward"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description Why the subject got what they got of a transaction that concerns them. */
        OwnWhyNot: {
            /** @description Whether there is such a transaction that concerns the subject. */
            known: boolean;
            /** @description A row for every plan that decided it. */
            plans: components["schemas"]["OwnPlan"][];
            /** @description Natural key of the transaction, as it was asked for. */
            transaction: string;
        };
        /** @description What a person sets with an invitation. */
        PasswordRequest: {
            /** @description At least twelve characters. */
            password: string;
        };
        /** @description What the rewards of one unit differ by. */
        PayDifference: {
            /**
             * Format: decimal
             * @description What the deal adds.
             */
            difference: string;
            /** @description The unit of the amount. */
            unit_type: string;
        };
        /**
         * @description What a payee owes at the end of a period: an unrecovered draw, or an amount below zero that is
         *     carried. Never stored by hand: it follows from the rows.
         */
        PayeeBalance: {
            /**
             * Format: decimal
             * @description What is owed when the period ends; never below zero.
             */
            balance: string;
            /**
             * Format: decimal
             * @description What the period added, negative where it was recovered.
             */
            change: string;
            /** @description The name of the draw; `carried` for amounts below zero. */
            name: string;
            /**
             * Format: decimal
             * @description What was owed when the period began, in `unit_type`.
             */
            opening: string;
            /** @description The participant who owes it. */
            payee: string;
            /** @description The period at whose end this is owed. */
            period: string;
            /** @description The plan. */
            plan: string;
            /** @description The unit of the three amounts. */
            unit_type: string;
        };
        /** @description A page of a list. */
        PayeeBalancePage: {
            /** @description The rows of the page. */
            data: components["schemas"]["PayeeBalance"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A credit as its payee sees it: the fields of a credit that payees see, and two more. */
        PayeeCredit: {
            /**
             * Format: decimal
             * @description The amount.
             */
            amount: string;
            /**
             * Format: decimal
             * @description The amount before a maximum cut it; null where none did.
             */
            before_maximum: string | null;
            /** @description The credit type. */
            credit_type: string;
            /** @description The path at which the payee reads why. */
            explain: string;
            /** @description The credit's id. */
            id: string;
            /**
             * Format: date
             * @description The date of the deal that decides everything else.
             */
            incentive_date: string;
            /** @description Direct or indirect. */
            kind: components["schemas"]["CreditKind"];
            /** @description How it came into its period. */
            origin: components["schemas"]["CreditOrigin"];
            /** @description The leaf period in which it is posted. */
            period: string;
            /** @description The position that is credited; null for a team. */
            position: string | null;
            /** @description Why it does not count. */
            reason: string | null;
            /** @description The reason code of the rule or of the person who adjusted it. */
            reason_code: string | null;
            /** @description The relationship along which an indirect credit was rolled. */
            relationship: string | null;
            /**
             * Format: date
             * @description When a hold ends or ended; null for a hold without a date.
             */
            release_date: string | null;
            /** @description The entry that this one takes back. */
            reverses: string | null;
            /** @description The rule of the plan. */
            rule: string;
            /** @description The status, which says whether the credit counts. */
            status: components["schemas"]["CreditStatus"];
            /** @description The team that is credited, or through which the position was found. */
            team: string | null;
            /** @description Natural key of the deal. */
            transaction: string;
            /** @description The unit of the amount. */
            unit_type: string;
        };
        /** @description One reason why the payee got nothing, or less than others. */
        PayeeFinding: {
            /**
             * @description `filtered`, `condition`, `inactive`, `no_position`, `not_named`, `not_target`, `not_reached`,
             *     `not_receiver`, `not_rolled`, `nothing`, `held`, `suppressed`, or the code of a note.
             */
            code: string;
            /** @description The expression that was false, or the policy that refused. */
            condition: string | null;
            /** @description The file of the expression or policy. */
            file: string | null;
            /**
             * Format: int32
             * @description The line of the file at which it came to its answer, from 1.
             */
            line: number | null;
            /** @description The reason in one sentence, addressed to the payee. */
            message: string;
            /** @description The policy that refused, if one did. */
            policy: string | null;
            /** @description The rule, if one is to blame. */
            rule: string | null;
            /** @description What it read, or what was compared, with the values seen. */
            seen: {
                [key: string]: string;
            };
            /** @description `filter`, `crediting`, `value`, `hold`, `duplication`, `rollup`, `maximum`, `release`. */
            stage: string;
        };
        /** @description What a change means for people. */
        PeopleReport: {
            /** @description Who would be removed and has credits. */
            gone: components["schemas"]["RemovedEntity"][];
            /** @description Who would be paid less of rewards. */
            losing: components["schemas"]["RewardLoss"][];
        };
        /** @description A leaf period. The counts are of recorded rows of every plan. */
        Period: {
            /**
             * Format: int64
             * @description Direct and indirect credits, held ones included, suppressed ones not.
             */
            credits: number;
            /**
             * Format: int64
             * @description Decisions of plans.
             */
            decisions: number;
            /**
             * Format: date
             * @description First day.
             */
            first: string;
            /**
             * Format: int64
             * @description Held credits.
             */
            held: number;
            /** @description Its id in the calendar. */
            id: string;
            /**
             * Format: date
             * @description Last day.
             */
            last: string | null;
            /**
             * Format: int64
             * @description Decisions that are parked.
             */
            parked: number;
            /** @description The last act of a person; null where there was none. */
            said: components["schemas"]["PeriodState"] | null;
            /** @description `closed`, `open` or `finalized` as people decided, else what the calendar says. */
            state: string;
        };
        /** @description A page of a list. */
        PeriodPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Period"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What people said about a leaf period last. */
        PeriodState: {
            /** @description Who approved it, where a second person had to. */
            approved?: components["schemas"]["Approval"];
            /**
             * Format: int64
             * @description The time in milliseconds since 1970.
             */
            at_ms: number;
            /**
             * Format: date
             * @description The business date of it, ISO.
             */
            day: string;
            /** @description Whether the rows of the period were frozen with this. */
            frozen?: boolean;
            /** @description The reason as it was given. */
            reason: string | null;
            /** @description `open`, `closed` or `finalized`. */
            state: string;
            /** @description Who closed or opened it: a token's name. */
            who: string;
        };
        /** @description A person without anything secret. */
        Person: {
            /**
             * Format: date-time
             * @description When the account was made.
             */
            created: string;
            /** @description Who made it. */
            created_by: string;
            /** @description The address of mail with which the person signs in. */
            email: string;
            /** @description Whether a password is set. */
            has_password: boolean;
            /** @description The id. */
            id: string;
            /**
             * Format: date-time
             * @description Until when an invitation works; null where none is open.
             */
            invited_until: string | null;
            /** @description The name in the audit trail. */
            name: string;
            /** @description The participant of a payee. */
            participant: string | null;
            /** @description What the person may do. */
            role: string;
            /** @description `active`, `disabled`, or `waiting` for a second person. */
            state: string;
        };
        /** @description A page of a list. */
        PersonPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Person"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What a new account should be. */
        PersonRequest: {
            /** @description The address of mail. */
            email: string;
            /** @description The name in the audit trail; no other person, key or token may have it. */
            name: string;
            /** @description For a payee: the participant whose data the person reads. */
            participant?: string | null;
            /** @description `admin`, `author`, `approver`, `reader`, `auditor` or `payee`. */
            role: string;
        };
        /**
         * @description A place in a customer's file. Lines and columns count from 1, columns in characters; 0 means
         *     that the whole file (or no file) is meant, which is written as its beginning.
         */
        Place: {
            /**
             * Format: int32
             * @description Column in characters, from 1.
             */
            column: number;
            /** @description Path inside the customer's directory, with `/` between folders. */
            file: string;
            /**
             * Format: int32
             * @description Line number, counted from 1.
             */
            line: number;
        };
        /** @description What a payee got of a transaction in one plan, and why nothing more. */
        PlanWhyNot: {
            /** @description Whether a published credit is theirs. */
            credited: boolean;
            /** @description Their published credits. */
            credits: components["schemas"]["PayeeCredit"][];
            /** @description Why nothing, or nothing more, in the order of the steps. */
            findings: components["schemas"]["PayeeFinding"][];
            /** @description Id of the plan. */
            plan: string;
        };
        /** @description A policy that is in force or was refused. */
        Policy: {
            /** @description Whether it is in force. */
            active: boolean;
            /** @description The hash of its text; null where it is not in force. */
            hash: string | null;
            /** @description The kind: the folder of its file. */
            kind: string;
            /** @description The last activation that changed it. */
            last_activation: components["schemas"]["Activation"] | null;
            /** @description The last refusal since then. */
            last_error: components["schemas"]["PolicyError"] | null;
            /** @description The name: the stem of its file. */
            name: string;
        };
        /** @description What cases reach of the policies that a change brings. */
        PolicyCoverage: {
            /** @description How many cases were run for it; 0 where there are none, neither in the change nor on the server. */
            cases: number;
            /** @description Whether every case file was run that could reach another line. */
            complete: boolean;
            /** @description A row for each policy that the change adds or changes, by path; none for one without a line that runs. */
            policies: components["schemas"]["CoveredPolicy"][];
        };
        /** @description A change of a policy that was refused. */
        PolicyError: {
            /**
             * Format: date-time
             * @description The instant of the refusal.
             */
            at: string;
            /** @description The diagnostics of check. */
            errors: unknown;
            /** @description The user who made the change. */
            who: string;
        };
        /** @description A page of a list. */
        PolicyPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Policy"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description One entry of the books: who is credited with how much, for which deal, in which period. */
        PostedCredit: {
            /**
             * Format: decimal
             * @description The amount; its scale is the unit's, and every digit of it is kept.
             */
            amount: string;
            /** @description The credit type. */
            credit_type: string;
            /** @description The credit's id; entries that correct it have ids of their own. */
            id: string;
            /**
             * Format: date
             * @description The date of the deal that decides everything else.
             */
            incentive_date: string;
            /** @description Direct or indirect. */
            kind: components["schemas"]["CreditKind"];
            /**
             * Format: int32
             * @description Steps along the relationship, from 1.
             */
            level: number | null;
            /** @description How it came into its period. */
            origin: components["schemas"]["CreditOrigin"];
            /** @description Who holds the position on the incentive date; none when it is vacant, or for a team. */
            payee: string | null;
            /** @description The leaf period in which it is posted. */
            period: string;
            /** @description The plan. */
            plan: string;
            /** @description The position that is credited; none for a team. */
            position: string | null;
            /** @description Why it does not count: `duplicate_of:crd_…`, or the hold's reason. */
            reason: string | null;
            /** @description The reason code of the rule or of the person who adjusted it. */
            reason_code: string | null;
            /** @description The relationship along which an indirect credit was rolled. */
            relationship: string | null;
            /**
             * Format: date
             * @description When a hold ends or ended; none for a hold without a date.
             */
            release_date: string | null;
            /** @description The result of the rule. */
            result: string;
            /**
             * @description The entry that this one takes back: a correction its own former entry, the reversal of a
             *     manual credit that credit.
             */
            reverses: string | null;
            /** @description The rule of the plan. */
            rule: string;
            /** @description The ruleset that decided it. */
            ruleset: string;
            /**
             * Format: decimal
             * @description The weight of a direct credit.
             */
            share: string | null;
            /** @description The direct credit that an indirect one comes from. */
            source: string | null;
            /** @description The status, which says whether the credit counts. */
            status: components["schemas"]["CreditStatus"];
            /** @description The team that is credited, or through which the position was found. */
            team: string | null;
            /** @description The deal. */
            transaction: string;
            /** @description The unit of the amount. */
            unit_type: string;
            /** @description Where the relationship was entered. */
            via: string | null;
        };
        /** @description A page of a list. */
        PostedCreditPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["PostedCredit"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A problem as it is written: the members of RFC 9457, and `errors`. */
        Problem: {
            /** @description What is wrong with this request, and what to do. */
            detail: string;
            /** @description Diagnostics, one JSON object each; left out where there are none. */
            errors?: unknown[];
            /** @description The id of the request. */
            instance: string | null;
            /**
             * Format: int32
             * @description The status.
             */
            status: number;
            /** @description The name of the status. */
            title: string;
            /**
             * @description The path of the page that explains this kind of problem.
             * @enum {string}
             */
            type: "/problems/active" | "/problems/already_answered" | "/problems/already_confirmed" | "/problems/already_reversed" | "/problems/bad_access" | "/problems/bad_amount" | "/problems/bad_column" | "/problems/bad_incentive_date" | "/problems/bad_password" | "/problems/bad_request" | "/problems/bad_text" | "/problems/base_moved" | "/problems/before_period_end" | "/problems/calculation_certain" | "/problems/check_failed" | "/problems/credit_not_decided" | "/problems/cross_origin" | "/problems/damaged" | "/problems/earlier_periods_open" | "/problems/email_taken" | "/problems/enquiry_closed" | "/problems/filter_needed" | "/problems/forbidden" | "/problems/four_eyes" | "/problems/has_credits" | "/problems/has_rewards" | "/problems/idempotency_conflict" | "/problems/internal" | "/problems/manual_credit" | "/problems/media_type" | "/problems/method" | "/problems/name_taken" | "/problems/no_audit_key" | "/problems/no_backups" | "/problems/no_case" | "/problems/no_earlier" | "/problems/no_natural_key" | "/problems/no_oidc" | "/problems/no_open_period" | "/problems/no_simulation" | "/problems/not_a_definition" | "/problems/not_active" | "/problems/not_checked" | "/problems/not_editable" | "/problems/not_enough_memory" | "/problems/not_found" | "/problems/not_granted" | "/problems/not_held" | "/problems/not_manual" | "/problems/not_waiting" | "/problems/nothing_changes" | "/problems/other_period" | "/problems/other_ruleset" | "/problems/other_transaction" | "/problems/outside_scope" | "/problems/period_closed" | "/problems/period_finalized" | "/problems/period_not_over" | "/problems/position_needed" | "/problems/precondition_failed" | "/problems/precondition_required" | "/problems/provider_failed" | "/problems/rate_limited" | "/problems/reason_code_needed" | "/problems/reason_needed" | "/problems/ruleset_not_rebuilt" | "/problems/run_cancelled" | "/problems/run_failed" | "/problems/run_under_way" | "/problems/sign_in_failed" | "/problems/sign_in_over" | "/problems/sign_in_refused" | "/problems/stop_loss" | "/problems/team_plan" | "/problems/timeout" | "/problems/too_large" | "/problems/too_many_attempts" | "/problems/unauthentic" | "/problems/unauthorized" | "/problems/unavailable" | "/problems/unknown_action" | "/problems/unknown_credit_type" | "/problems/unknown_kind" | "/problems/unknown_mode" | "/problems/unknown_payee" | "/problems/unknown_position" | "/problems/unknown_reason_code" | "/problems/unknown_release" | "/problems/unknown_state" | "/problems/unknown_unit_type";
        };
        /**
         * @description Where a kept change stands.
         * @enum {string}
         */
        ProposalState: "draft" | "checked" | "waiting" | "active" | "withdrawn";
        /** @description What a second verification came to. */
        QuarantineOutcome: {
            /**
             * Format: int64
             * @description Requests that are authentic now, and in the inbox.
             */
            accepted: number;
            /**
             * Format: int64
             * @description Requests that are still not authentic.
             */
            left: number;
        };
        /** @description A request in quarantine. Its body may not be authentic, so it is not shown. */
        QuarantinedRequest: {
            /** @description Bytes of its body. */
            bytes: number;
            /**
             * Format: int64
             * @description Its number.
             */
            number: number;
            /** @description Why it was refused. */
            reason: string;
            /**
             * Format: date-time
             * @description The instant at which it arrived.
             */
            received: string;
            /** @description Name of the source. */
            source: string;
        };
        /** @description A page of a list. */
        QuarantinedRequestPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["QuarantinedRequest"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A quota before and after a change. */
        QuotaLine: {
            /**
             * Format: decimal
             * @description What is expected after the change.
             */
            after: string | null;
            /**
             * Format: decimal
             * @description What is expected now; none without a quota.
             */
            before: string | null;
            /** @description Participant id, as it is now. */
            payee: string;
            /** @description The period of the quota. */
            period: string;
            /** @description The id of the plan. */
            plan: string;
            /** @description The reward that is measured by it. */
            reward: string;
        };
        /** @description Something that a person must know about, raised outside a decision. */
        RaisedAlert: {
            /**
             * Format: int64
             * @description The number of the activation that moved money.
             */
            activation?: number;
            /**
             * @description `definitions_changed`, `definitions_refused`, `double_payment`, `not_decided` or
             *     `checkpoint_differs`.
             */
            code: string;
            /** @description What that activation meant for credits that existed. */
            effective?: string;
            /** @description What happened and what to do, in one sentence. */
            message: string;
            /** @description What that activation moved. */
            money?: components["schemas"]["MoneyEffect"];
            /** @description Id of the participant who is paid twice. */
            payee?: string;
            /** @description Id of the period that was released. */
            period?: string;
            /** @description Id of the plan that was released. */
            plan?: string;
            /** @description `activation`, `release`, `worker` or `audit`. */
            stage: string;
            /** @description Natural key of the transaction that it is about; null where it is about none. */
            transaction: string | null;
        };
        /** @description A change that is kept, with its texts. */
        ReadChange: {
            /** @description Who approved it; null where no person did. */
            approved: components["schemas"]["SignOff"] | null;
            /**
             * Format: date-time
             * @description The instant at which it was made.
             */
            at: string;
            /** @description The hash of the ruleset that it was made for. */
            base: string;
            /** @description The diagnostics of check. */
            diagnostics: unknown;
            /** @description What it means for credits that exist: `now`, `recredit` or `from:2026-01-31`. */
            effective: string;
            /** @description The hash of the new text by path; null where the file is removed. */
            files: {
                [key: string]: string | null;
            };
            /** @description The reason for removing people with credits or rewards. */
            force?: string;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            id: number;
            /** @description More money than this it must not move. */
            limits: components["schemas"]["Limits"];
            /** @description The money that it moved by the transactions of when it was kept. */
            money?: components["schemas"]["MoneyEffect"];
            /** @description Whether it brings back an earlier set. */
            rollback: boolean;
            /** @description The hash of the ruleset that it makes; null where it could not be built. */
            ruleset: string | null;
            /** @description `api`, `watch` or `start`. */
            source: string;
            /** @description What became of it so far; `shadow` while it runs beside the rules in force. */
            state: components["schemas"]["KeptChangeState"];
            /** @description Labels to find it by. */
            tags: string[];
            /** @description Every file of it, before and after, by path. Secrets are in no file: they are settings of the server. */
            texts: components["schemas"]["ChangedText"][];
            /** @description The user who made it. */
            who: string;
            /** @description The reason as it was given. */
            why: string | null;
        };
        /** @description The answer of a server that can take requests. */
        Readiness: {
            /** @description Hash of the ruleset in force. */
            ruleset: string;
            /** @description Always `ready`. */
            status: string;
        };
        /** @description What a list says beside what is recorded. */
        Reconciliation: {
            /** @description Their natural keys; 10,000 at most. */
            conflicting: string[];
            /**
             * @description How many deals the list has more than once, with values that differ. Which of their rows is right,
             *     the list does not say: the first is compared.
             */
            conflicting_count: number;
            /** @description Those, in the order of the list; 10,000 at most. */
            different: components["schemas"]["DifferentDeal"][];
            /** @description How many deals are recorded with other values than the list has. */
            different_count: number;
            /** @description Deals in the list; rows that repeat a natural key are one. */
            listed: number;
            /** @description Those, in the order of the list; 10,000 at most. */
            missing: components["schemas"]["MissingDeal"][];
            /** @description How many deals of the list are not recorded. */
            missing_count: number;
            /** @description Deals that are recorded as the list says. */
            same: number;
            /** @description The first and the last incentive date of the list. */
            span: [
                string,
                string
            ] | null;
            /** @description Their natural keys; 10,000 at most. */
            unlisted: string[];
            /** @description How many recorded deals with a date in the span of the list are not in it. */
            unlisted_count: number;
            /**
             * Format: int64
             * @description Deliveries that were not decided yet when the list was compared: their deals may seem missing.
             */
            waiting: number;
            /** @description Rows without a natural key, which are compared with nothing. */
            without_key: number;
        };
        /** @description A transaction as it is recorded. */
        RecordedTransaction: {
            /** @description The cells of the row as delivered, by column. */
            columns: {
                [key: string]: unknown;
            };
            /** @description What was decided, a plan each. */
            decisions: components["schemas"]["Decision"][];
            /** @description Natural key. */
            id: string;
            /** @description The credit that a person gave, of a row that is no deal; null for a deal. */
            manual_credit: components["schemas"]["ManualCredit"] | null;
            /**
             * Format: decimal
             * @description The amount as delivered, as text, if another one was set manually.
             */
            preadjusted: string | null;
            /**
             * Format: int32
             * @description Versions that came later than a newer one.
             */
            superseded: number;
            /**
             * Format: int32
             * @description 1 for the first content, and one more for every other.
             */
            version: number;
            /** @description Who made the deal void, when and why; null for one that counts. */
            void: components["schemas"]["VoidRemark"] | null;
        };
        /** @description How far transactions are decided again. */
        Recredit: {
            /**
             * Format: int64
             * @description The activation that asked for it last.
             */
            activation: number;
            /**
             * Format: int64
             * @description How many were decided again.
             */
            decided: number;
            /** @description Which transactions are decided again: `recredit` or `from:DATE`. */
            effective: string;
            /**
             * Format: int64
             * @description The number of the next transaction to look at.
             */
            looked_at: number;
        };
        /** @description The answer to another try of parked transactions. */
        RedriveAnswer: {
            /** @description How many are not parked, or held by an error, any more. */
            decided: number;
        };
        /** @description The answer to a dead letter that is processed again. */
        RedrivenLetterAnswer: {
            /**
             * Format: int64
             * @description Its place in the inbox.
             */
            sequence: number;
        };
        /** @description The answer to dead letters that are processed again. */
        RedrivenLettersAnswer: {
            /**
             * Format: int64
             * @description How many they are.
             */
            redriven: number;
        };
        /** @description What is published of a plan in a period. */
        Release: {
            /** @description Whether the calculation still follows the recorded transactions. */
            automatic: boolean;
            /** @description The last release of credits. */
            credits: components["schemas"]["ReleaseAct"] | null;
            /** @description How many payees have a statement of it. */
            payees: number;
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /**
             * Format: int32
             * @description How often it was published.
             */
            publications: number;
            /**
             * Format: int32
             * @description The revision of the calculation that payees see.
             */
            revision: number | null;
            /** @description The release of rewards. */
            rewards: components["schemas"]["ReleaseAct"] | null;
            /** @description `pending`, or `confirmed` once its rewards are released. */
            status: components["schemas"]["ReleaseStatus"];
        };
        /** @description One act of releasing. */
        ReleaseAct: {
            /** @description Who approved it, where a second person had to. */
            approved?: components["schemas"]["Approval"];
            /**
             * Format: int64
             * @description The time in milliseconds since 1970.
             */
            at_ms: number;
            /**
             * Format: date
             * @description The business date, ISO.
             */
            date: string;
            /** @description Whether the release was forced. */
            forced: boolean;
            /** @description The reason as it was given. */
            reason: string | null;
            /**
             * Format: int32
             * @description The revision of the calculation that was published.
             */
            revision: number;
            /** @description Who released: a token's name. */
            who: string;
        };
        /**
         * @description The part of a calculation that is released.
         * @enum {string}
         */
        ReleaseKind: "credits" | "rewards";
        /** @description What a release may say. */
        ReleaseRequest: {
            /** @description Whether rewards are released before the period's last day is over. */
            force?: boolean;
            /** @description Why, which a forced release needs. */
            reason?: string | null;
            /** @description What is released. */
            what: components["schemas"]["ReleaseKind"];
        };
        /**
         * @description What payees may rely on of a release.
         * @enum {string}
         */
        ReleaseStatus: "pending" | "confirmed" | "deleted";
        /** @description The holds that one request released. */
        ReleasedHolds: {
            /** @description Their credits. */
            credits: string[];
            /** @description How many. */
            released: number;
        };
        /** @description A participant, position or team with credits that would go. */
        RemovedEntity: {
            /**
             * Format: int64
             * @description How many credits it has.
             */
            credits: number;
            /** @description The id of the removed row. */
            id: string;
            /** @description `participant`, `position` or `team`. */
            kind: string;
        };
        /** @description A release that was taken back. */
        RemovedRelease: {
            /** @description Whether there was one. */
            deleted: boolean;
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
        };
        /** @description A person who reports to the caller. */
        Report: {
            /**
             * Format: int32
             * @description How far below the caller, from 1.
             */
            level: number;
            /** @description The name of the person. */
            name: string;
            /** @description The id of the person. */
            payee: string;
            /** @description The position by which the person reports. */
            position: string;
        };
        /** @description A page of a list. */
        ReportPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Report"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description The answer to events that are sent again. */
        ResentAnswer: {
            /** @description How many they are. */
            resent: number;
        };
        /** @enum {string} */
        ResolutionAction: "release" | "hold" | "adjust_to" | "adjust_by" | "reset";
        /** @description What a release or a hold may say. */
        ResolveRequest: {
            /** @description Why. */
            comment?: string | null;
            /** @description Another name for `comment`. */
            reason?: string | null;
        };
        /** @description Which version is brought back. */
        RestoreRequest: {
            /** @description The hash of the version. */
            hash: string;
        };
        /** @description The answer to a fetch that is tried at once. */
        RetriedFetchAnswer: {
            /** @description Its id. */
            id: string;
        };
        /** @description The answer to fetches that are tried at once. */
        RetriedFetchesAnswer: {
            /**
             * Format: int64
             * @description How many wait, those that are tried at this moment among them.
             */
            waiting: number;
        };
        /** @description What differs in rewards, balances and quotas. */
        RewardDetails: {
            /** @description Balances that differ at the end of the last period, the biggest difference first. */
            balance_lines?: components["schemas"]["BalanceLine"][];
            /** @description How many lines are left out, since there are more than 1,000 of a kind. */
            lines_left_out?: number;
            /** @description Quotas that differ, in order of payees. */
            quota_lines?: components["schemas"]["QuotaLine"][];
            /** @description Rewards that differ, the biggest difference first. */
            reward_lines?: components["schemas"]["RewardLine"][];
            /** @description By position that others report to, directly or not, on the last day of each period. */
            rewards_by_manager?: components["schemas"]["MoneyLine"][];
            /** @description The sums of each payee over all plans and periods, the biggest difference first. */
            rewards_by_payee?: components["schemas"]["MoneyLine"][];
        };
        /** @description A reward that differs. */
        RewardDifference: {
            /**
             * Format: decimal
             * @description The amount now.
             */
            after: string | null;
            /**
             * Format: decimal
             * @description The amount on the statement before.
             */
            before: string | null;
            /** @description The period that it corrects. */
            corrects: string | null;
            /** @description The reward's id. */
            id: string;
            /** @description Why the row exists. */
            origin: components["schemas"]["RewardOrigin"];
            /** @description Name of the reward or draw. */
            reward: string;
            /** @description The unit of the amounts. */
            unit_type: string;
            /** @description What became of it. */
            what: components["schemas"]["DifferenceKind"];
        };
        /** @description A reward before and after a change. */
        RewardLine: {
            /**
             * Format: decimal
             * @description The amount after the change.
             */
            after: string;
            /**
             * Format: decimal
             * @description The amount now.
             */
            before: string;
            /** @description The period that it corrects. */
            corrects: string | null;
            /**
             * Format: decimal
             * @description What is added, negative for what is taken away.
             */
            difference: string;
            /** @description How it comes into its period: `retro` for what corrects a period that was paid. */
            origin: components["schemas"]["RewardOrigin"];
            /** @description Participant id, as it is now. */
            payee: string;
            /** @description The period in which it is paid. */
            period: string;
            /** @description The id of the plan. */
            plan: string;
            /** @description The reward or draw. */
            reward: string;
            /** @description Unit of the amounts. */
            unit_type: string;
        };
        /** @description What a person would be paid less of a plan in a period. */
        RewardLoss: {
            /**
             * Format: decimal
             * @description What they would be paid.
             */
            after: string;
            /**
             * Format: decimal
             * @description What they are paid now, a decimal as text.
             */
            before: string;
            /** @description Participant id, as it is now. */
            payee: string;
            /** @description The period by which the plan is calculated. */
            period: string;
            /** @description The id of the plan: the stem of its file. */
            plan: string;
            /** @description Unit of both amounts. */
            unit_type: string;
        };
        /**
         * @description Why a payee has a row.
         * @enum {string}
         */
        RewardOrigin: "calculated" | "draw" | "carried" | "retro" | "manual";
        /** @description What a person should be allowed. */
        RoleRequest: {
            /** @description For a payee: the participant whose data the person reads. */
            participant?: string | null;
            /** @description `admin`, `author`, `approver`, `reader`, `auditor` or `payee`. */
            role: string;
        };
        /** @description Which earlier set is brought back, and how. */
        RollbackRequest: {
            /** @description Why. */
            comment?: string | null;
            /** @description What it means for existing credits; by default `now`. */
            effective?: string | null;
            /** @description The reason to remove people who have credits or rewards. */
            force?: string | null;
            /**
             * Format: decimal
             * @description The highest permitted change of credits and of rewards, for each payee.
             */
            max_payee?: string | null;
            /**
             * Format: decimal
             * @description The highest permitted change of credits and of rewards, in all.
             */
            max_total?: string | null;
            /** @description The ruleset to restore; by default the one before. */
            to?: string | null;
        };
        /** @description How a key is rotated. */
        RotateRequest: {
            /**
             * Format: int64
             * @description Seconds for which the secret of before works on.
             */
            overlap?: number | null;
        };
        /** @description A warning about a row of an import. */
        RowWarning: {
            /** @description The kind of the finding, `CRnnn`. */
            code: string;
            /** @description What is wrong. */
            detail: string;
            /** @description What to do about it. */
            help: string | null;
            /**
             * Format: int32
             * @description Line in the body, from 1.
             */
            line: number;
        };
        /** @description A rule that differs between two sets. */
        RuleDifference: {
            /** @description The keys of a changed rule that differ; none of one that is added or removed. */
            keys: string[];
            /** @description `direct`, `indirect` or `reward`. */
            kind: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The name of the rule. */
            rule: string;
            /** @description `added`, `changed` or `removed`. */
            what: string;
        };
        /** @description A tag of rules. */
        RuleTag: {
            /** @description How many rules have it. */
            rules: number;
            /** @description The tag. */
            tag: string;
        };
        /** @description A page of a list. */
        RuleTagPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["RuleTag"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A run of a calculation. */
        Run: {
            /**
             * Format: date-time
             * @description The instant at which it was started.
             */
            at: string;
            /**
             * Format: date
             * @description The business date at its end.
             */
            business_date: string | null;
            /** @description What it changes in money, or would: a line a payee and unit type. */
            by_payee: components["schemas"]["MoneyLine"][];
            /** @description Those that it has decided. */
            decided: number;
            /** @description Those whose result differs from the stored one. */
            differing: number;
            /** @description Whether it records nothing. */
            dry_run: boolean;
            /**
             * Format: date-time
             * @description The instant at which it ended.
             */
            ended: string | null;
            /** @description Why it failed, in one sentence. */
            error: string | null;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            id: number;
            /** @description `full`, `incremental` or `selected`. */
            mode: string;
            /** @description Ids of participants, where the mode is `selected`. */
            payees: string[];
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /**
             * Format: int32
             * @description The revision of the calculation at its end.
             */
            revision: number | null;
            /**
             * @description What it changes in rewards, or would, in all periods of the plan: a line a payee and unit
             *     type.
             */
            rewards: components["schemas"]["MoneyLine"][];
            /**
             * @description `in_force` or `pinned`; null: what has no credit by the rules in force, the rest by those
             *     that decided it.
             */
            rules: components["schemas"]["RunRules"] | null;
            /** @description Natural keys of transactions, where the mode is `selected`. */
            selected: string[];
            /** @description `waiting`, `running`, `done`, `cancelled` or `failed`. */
            state: components["schemas"]["RunState"];
            /** @description The same in all. */
            total: components["schemas"]["MoneyLine"][];
            /** @description Transactions that it has to decide; 0 until they were counted. */
            transactions: number;
            /** @description The user who started it. */
            who: string;
        };
        /** @description A page of a list. */
        RunPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Run"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description What a run may say. */
        RunRequest: {
            /** @description Whether nothing is recorded but the answer. */
            dry_run?: boolean;
            /** @description `full`, `incremental` or `selected`. */
            mode: string;
            /** @description Ids of participants, for `selected`: the deals that credit them. */
            payees?: string[];
            /** @description By which rules it decides. */
            rules?: components["schemas"]["RunRules"] | null;
            /** @description Natural keys of the deals, for `selected`. */
            transactions?: string[];
        };
        /**
         * @description By which rules a run decides.
         * @enum {string}
         */
        RunRules: "in_force" | "pinned";
        /**
         * @description The state of a run.
         * @enum {string}
         */
        RunState: "waiting" | "running" | "done" | "failed" | "cancelled";
        /** @description An event with the body that its destination gets. */
        SentEvent: {
            /**
             * Format: date-time
             * @description The instant at which it happened.
             */
            at: string;
            /**
             * Format: int32
             * @description How often it was tried.
             */
            attempts: number;
            /** @description The CloudEvent. */
            body: Record<string, never>;
            /** @description Its id, which the destination knows it by. */
            id: string;
            /** @description Its kind, such as `credit.held`. */
            kind: string;
            /** @description Why the last try failed; null if it did not fail. */
            last_error: string | null;
            /**
             * Format: date-time
             * @description The instant of the next try; null if it does not wait, or is due.
             */
            next: string | null;
            /** @description `waiting`, `sent` or `dead`. */
            state: string;
            /** @description What it is about. */
            subject: string;
        };
        /**
         * @description How bad it is: an error stops activation, a warning does not.
         * @enum {string}
         */
        Severity: "error" | "warning" | "hint";
        /** @description What a change would have done differently since its shadow started. */
        Shadow: {
            /**
             * Format: int64
             * @description The number of the kept change that runs.
             */
            change: number;
            /** @description The differences from the rules in force. */
            impact: components["schemas"]["ImpactReport"];
            /**
             * Format: int64
             * @description Transactions that could not be shown to it.
             */
            missed: number;
            /**
             * @description What its rules would move in open periods: credits, rewards, balances and quotas. Only where
             *     it is asked for with `money=true`, since every recorded deal is decided for it.
             */
            money?: components["schemas"]["MoneyEffect"];
            /** @description The hash of its ruleset; null when the shadow has ended. */
            ruleset: string | null;
            /**
             * Format: date-time
             * @description The instant at which it started.
             */
            since: string;
            /**
             * Format: int64
             * @description Transactions that were decided once more without being remembered.
             */
            uncertain: number;
        };
        /** @description A kept change that is to run. */
        ShadowStart: {
            /**
             * Format: int64
             * @description The number of the kept change.
             */
            change: number;
        };
        /** @description With what a person signs in. */
        SignInRequest: {
            /** @description The address of mail. */
            email: string;
            /** @description The password. */
            password: string;
        };
        /** @description Who approved, withdrew or refused something, and when. */
        SignOff: {
            /**
             * Format: date-time
             * @description The instant.
             */
            at: string;
            /** @description The user. */
            who: string;
        };
        /** @description The projected results of a period. */
        Simulation: {
            /**
             * Format: date
             * @description The last day whose deals are real.
             */
            as_of: string;
            /** @description Sums of active credits, by payee or team, credit type and unit. */
            credits: components["schemas"]["SimulationSum"][];
            /** @description Days from the period's first to that one. */
            days: number;
            /** @description Those of them that are parked, and so in no sum. */
            parked: components["schemas"]["SimulationCounts"];
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description Rewards, by reward, payee, team and unit. */
            rewards: components["schemas"]["SimulationSum"][];
            /** @description The ruleset that decided. */
            ruleset: string;
            /** @description Always true: a simulation must not be mistaken for a result. */
            simulation: boolean;
            /** @description Deals that the plan let in. */
            transactions: components["schemas"]["SimulationCounts"];
            /** @description How little the simulation rests on, where its deals are few. */
            warning: string | null;
        };
        /** @description How many, so far and by the end of the period. */
        SimulationCounts: {
            /** @description The number of real and repeated deals. */
            projected: number;
            /** @description The number of recorded deals. */
            so_far: number;
        };
        /** @description The body of the request: plan, period and the last day with real deals. */
        SimulationRequest: {
            /**
             * Format: date
             * @description The last day whose deals are real; the business date, or the period's last day if that is
             *     earlier, by default.
             */
            as_of?: string | null;
            /** @description Id of the period. */
            period: string;
            /** @description Id of a plan. */
            plan: string;
        };
        /** @description An amount, so far and by the end of the period. */
        SimulationSum: {
            /** @description The credit type, or the name of the reward. */
            name: string;
            /** @description Who has it; none on a vacant position, and on a team's credits. */
            payee: string | null;
            /**
             * Format: decimal
             * @description The part of `so_far` that deals of other periods brought: late ones, and corrections of
             *     finalized periods. It is absent for a reward, which is computed from the total.
             */
            posted: string | null;
            /**
             * Format: decimal
             * @description What it would come to: what is real, with its holds that end by then, and what is repeated.
             */
            projected: string;
            /**
             * Format: decimal
             * @description The amount that repeated deals add. For a reward, the increase over the amount so far.
             */
            repeated: string;
            /**
             * Format: decimal
             * @description What is recorded, at the unit's scale.
             */
            so_far: string;
            /** @description Whose credits they are, where teams are measured. */
            team: string | null;
            /** @description The unit of both amounts. */
            unit_type: string;
        };
        /** @description The events of a source that wait for their deal. */
        SourceFetches: {
            /**
             * Format: int32
             * @description How often the oldest was tried.
             */
            attempts: number;
            /** @description Why the oldest that was tried has not been fetched; null before the first try. */
            last_error: string | null;
            /**
             * Format: int64
             * @description Seconds since the oldest of them arrived.
             */
            oldest_seconds: number;
            /** @description Name of the source. */
            source: string;
            /**
             * Format: int64
             * @description How many wait.
             */
            waiting: number;
        };
        /** @description The requests of a source whose signature did not match. */
        SourceQuarantine: {
            /**
             * Format: int64
             * @description Seconds since the oldest of them arrived.
             */
            oldest_seconds: number;
            /**
             * Format: int64
             * @description How many there are.
             */
            requests: number;
            /** @description Name of the source. */
            source: string;
        };
        /** @description A request of a source that was refused. */
        SourceRefusal: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description The code of the problem that was answered, such as `unauthentic`. */
            reason: string;
        };
        /** @description What a source sent last. */
        SourceState: {
            /**
             * Format: date-time
             * @description When its last delivery was taken, repetitions aside; null if none is known.
             */
            last_delivery: string | null;
            /** @description Its last request that was refused since the server started; null if none was. */
            last_refused: components["schemas"]["SourceRefusal"] | null;
            /** @description Name of the source. */
            source: string;
        };
        /** @description An answer that is still computed. */
        StartedTask: {
            /** @description Always `running`. */
            state: string;
            /**
             * Format: int64
             * @description The number of the task: `/v1/tasks/{task}` has its answer.
             */
            task: number;
            /** @description What was asked for: `preview`. */
            what: string;
        };
        /** @description What a payee sees of a plan in a period. */
        Statement: {
            /** @description The credits of the payee. */
            credits: components["schemas"]["PayeeCredit"][];
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /**
             * Format: date
             * @description Business date of the release.
             */
            released: string;
            /**
             * Format: int32
             * @description The revision of the calculation that was published.
             */
            revision: number;
            /** @description The rewards of the payee. */
            rewards: components["schemas"]["EarnedReward"][];
            /** @description `pending` or `confirmed`. */
            status: components["schemas"]["ReleaseStatus"];
            /** @description Credits of the teams of the payee, in a plan that measures teams. */
            team_credits: components["schemas"]["PayeeCredit"][];
            /** @description The sums of the credits that count, by credit type and unit. */
            totals: components["schemas"]["StatementTotal"][];
        };
        /** @description What differs between a statement and the one before it. */
        StatementDifference: {
            /** @description The credits that differ, by deal. */
            credits: components["schemas"]["CreditDifference"][];
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /**
             * Format: date
             * @description Business date of its release.
             */
            released: string;
            /**
             * Format: date
             * @description Business date of the release before.
             */
            released_before: string;
            /** @description The rewards that differ, by name. */
            rewards: components["schemas"]["RewardDifference"][];
            /** @description Whether the statement may still change. */
            status: components["schemas"]["ReleaseStatus"];
            /** @description Whether the one before it could still change. */
            status_before: components["schemas"]["ReleaseStatus"];
        };
        /** @description A page of a list. */
        StatementDifferencePage: {
            /** @description The rows of the page. */
            data: components["schemas"]["StatementDifference"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        StatementPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["Statement"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A row of a statement. */
        StatementRow: {
            /**
             * Format: decimal
             * @description What is credited, paid or owed.
             */
            amount: string;
            /** @description `active` or `held`; null for a reward and a balance. */
            credit_status: string | null;
            /** @description The credit type; null for a balance. */
            credit_type: string | null;
            /**
             * Format: date
             * @description Incentive date of the deal.
             */
            date: string | null;
            /** @description Id of the credit or reward; null for a balance. */
            id: string | null;
            /** @description `credit`, `team_credit`, `reward` or `balance`. */
            kind: string;
            /** @description Name of the result, the reward or the draw. */
            name: string;
            /** @description Id of the participant. */
            payee: string;
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /**
             * Format: date
             * @description When a hold ends; null without one.
             */
            release_date: string | null;
            /**
             * Format: date
             * @description Business date of the release.
             */
            released: string;
            /**
             * Format: int32
             * @description The revision of the calculation that was published.
             */
            revision: number;
            /** @description Whether it may still change. */
            status: components["schemas"]["ReleaseStatus"];
            /** @description Natural key of the deal; null for a reward and a balance. */
            transaction: string | null;
            /** @description Its unit. */
            unit_type: string;
        };
        /** @description A page of a list. */
        StatementRowPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["StatementRow"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description The sum of the credits of one type and unit. */
        StatementTotal: {
            /**
             * Format: decimal
             * @description The sum.
             */
            amount: string;
            /** @description The credit type. */
            credit_type: string;
            /** @description The unit of the amount. */
            unit_type: string;
        };
        /** @description The state of the server, for people. */
        Status: {
            /**
             * Format: date
             * @description The business date.
             */
            business_date: string;
            /** @description The certificate of the server; null where it speaks no TLS. */
            certificate: components["schemas"]["Certificate"] | null;
            /** @description Counts of the recorded rows. */
            counts: components["schemas"]["Counts"];
            /**
             * Format: int64
             * @description Dead letters.
             */
            dead_letters: number;
            /** @description What parts of the server cannot do. */
            faults: components["schemas"]["Fault"][];
            /** @description Events that wait for their deal from the CRM, by source; no row for a source without any. */
            fetches: components["schemas"]["SourceFetches"][];
            /**
             * Format: int64
             * @description Seconds since the oldest of them arrived; null if none waits.
             */
            oldest_undecided_seconds: number | null;
            /**
             * Format: int64
             * @description Parked transactions.
             */
            parked: number;
            /**
             * Format: int64
             * @description Deliveries that wait.
             */
            pending: number;
            /** @description Requests in quarantine, by source; no row for a source without any. */
            quarantine: components["schemas"]["SourceQuarantine"][];
            /** @description What is decided again after a change; null if nothing is. */
            recredit: components["schemas"]["Recredit"] | null;
            /** @description Hash of the ruleset in force. */
            ruleset: string;
            /** @description Every source of the settings, by name. */
            sources: components["schemas"]["SourceState"][];
            /** @description The version of the program. */
            version: string;
        };
        /** @description A task and, once it has ended, its answer. */
        Task: {
            /** @description The body that the request would have been answered with: of any shape, or a problem. */
            answer: unknown;
            /**
             * Format: date-time
             * @description The instant of the request.
             */
            at: string;
            /**
             * Format: date-time
             * @description The instant at which it ended.
             */
            ended: string | null;
            /** @description `running`, `done` or `failed`. */
            state: string;
            /**
             * Format: int32
             * @description The status that the request would have been answered with.
             */
            status: number | null;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            task: number;
            /** @description What was asked for, such as `preview`. */
            what: string;
            /** @description The user who made the request. */
            who: string;
        };
        /** @description A place between two characters of a text. */
        TextPosition: {
            /**
             * Format: int32
             * @description Column in characters, from 1.
             */
            column: number;
            /**
             * Format: int32
             * @description Line, from 1.
             */
            line: number;
        };
        /** @description A part of a text: its first character, and the place behind its last one. */
        TextRange: {
            /** @description Where it ends. */
            end: components["schemas"]["TextPosition"];
            /** @description Where it begins. */
            start: components["schemas"]["TextPosition"];
        };
        /**
         * @description How tiers are paid.
         * @enum {string}
         */
        TierKind: "cumulative" | "retroactive";
        /** @description How far one published reward is in its tiers. */
        TierProgress: {
            /**
             * Format: decimal
             * @description What is paid for the period.
             */
            amount: string;
            /**
             * Format: decimal
             * @description `credited` as a share of the quota, four decimals.
             */
            attainment: string | null;
            /** @description Whether the amounts of the statement are certain. */
            confirmed: boolean;
            /** @description The credit types that count, joined by `;`. */
            credit_type: string;
            /**
             * Format: decimal
             * @description The sum of the credits that count; to date where the reward is.
             */
            credited: string;
            /** @description The unit of `credited`, of the quota and of the tiers. */
            credited_unit_type: string;
            /** @description Whether the reward has a maximum beside its tiers. */
            has_maximum: boolean;
            /** @description How the tiers are paid; null where the rules of the release are not known any more. */
            kind: components["schemas"]["TierKind"] | null;
            /** @description What the next tier asks for; null in the last one. */
            next_tier: components["schemas"]["NextTier"] | null;
            /** @description Id of the period. */
            period: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The plan's name for people. */
            plan_name: string;
            /**
             * Format: decimal
             * @description What was expected; null without a quota.
             */
            quota: string | null;
            /** @description Name of the reward. */
            reward: string;
            /** @description The team whose credits these are; null where people are credited. */
            team: string | null;
            /** @description The place of the tier that is reached, from 0. */
            tier: number | null;
            /** @description Every tier, upwards; empty where the rules of the release are not known any more. */
            tiers: components["schemas"]["TierRange"][];
            /** @description `quarter` or `year` where credits are summed since its beginning; null for the period alone. */
            to_date: string | null;
            /** @description The unit of `amount`. */
            unit_type: string;
        };
        /** @description A page of a list. */
        TierProgressPage: {
            /** @description The rows of the page. */
            data: components["schemas"]["TierProgress"][];
            /** @description Where the next page begins; null behind the last one. */
            next_cursor: string | null;
        };
        /** @description A tier with both its ends as amounts, in the unit of the credits. */
        TierRange: {
            /**
             * Format: decimal
             * @description Where it begins: what is above this amount is in it.
             */
            from: string;
            /**
             * Format: decimal
             * @description What is paid of one unit.
             */
            rate: string;
            /**
             * Format: decimal
             * @description The last amount in it; null for one without an end.
             */
            up_to: string | null;
        };
        /** @description What there is to say of the audit trail. */
        TrailReport: {
            /**
             * @description Hash of its last row: a copy stored elsewhere proves later that nothing before it was
             *     rewritten.
             */
            head: string;
            /** @description What is wrong, for people. */
            problems: string[];
            /**
             * Format: int64
             * @description How many rows it has.
             */
            rows: number;
        };
        /** @description Why a transaction was credited as it was. */
        TransactionExplanation: {
            /** @description The steps of its decisions, a plan each. */
            plans: components["schemas"]["Explanation"][];
            /** @description Natural key. */
            transaction: string;
        };
        /** @description What came of it. */
        Verification: {
            /** @description Stored rows that do not agree with others; of the whole file, regardless of the selection. */
            damage: string[];
            /**
             * Format: int64
             * @description Decisions that were made again.
             */
            decisions: number;
            /** @description Those that do not come out alike, up to a limit. */
            differences: components["schemas"]["Deviation"][];
            /**
             * Format: int64
             * @description All that do not.
             */
            differing: number;
            /**
             * Format: int64
             * @description Rewards of periods that were paid, held against their credits and their tiers.
             */
            rewards: number;
        };
        /** @description The program. */
        Version: {
            /** @description Always `accredit`. */
            name: string;
            /** @description Its version. */
            version: string;
        };
        /** @description Why a deal is made void. */
        VoidReason: {
            /** @description Why; the audit trail keeps it. */
            reason?: string | null;
        };
        /** @description Who made a deal void, when and why. */
        VoidRemark: {
            /**
             * Format: date
             * @description Business date of the act.
             */
            date: string;
            /** @description The reason that the user gave. */
            reason: string;
            /** @description The user who asked for it. */
            who: string;
        };
        /** @description A deal that was made void. */
        VoidedDeal: {
            /** @description Natural key of the deal. */
            id: string;
            /**
             * Format: int32
             * @description The version that is void.
             */
            version: number;
            /** @description Who made it void, when and why; of one that was void before, the first act. */
            void: components["schemas"]["VoidRemark"] | null;
        };
        /** @description A change that waits for a second person. */
        WaitingChange: {
            /** @description Always false. */
            active: boolean;
            /**
             * Format: int64
             * @description The number of the kept change.
             */
            change: number;
            /** @description The hash of the text that was sent; null where it was more than one text. */
            hash: string | null;
            /** @description The money that the change would move; null where none moves or none was compared. */
            money: components["schemas"]["MoneyEffect"] | null;
            /** @description The hash of the ruleset that it makes; null where it could not be built. */
            ruleset: string | null;
            /** @description What became of it so far: `waiting`. */
            state: components["schemas"]["ProposalState"];
        };
        /** @description What the server is, and how one signs in. */
        Welcome: {
            /** @description Whom one can look at the sample company as; null where the server has data of its own. */
            demo: components["schemas"]["DemoSignIn"][] | null;
            /** @description Where one signs in with the account of a provider; null where that is not set up. */
            sign_in_address: string | null;
            /** @description The version of the program. */
            version: string;
            /** @description Name of the workspace. */
            workspace: string;
        };
        /** @description What the deal would bring. */
        WhatIf: {
            /** @description The credits that the caller, or a team of the caller, would get. */
            credits: components["schemas"]["ImaginedCredit"][];
            /**
             * Format: date
             * @description The incentive date of the deal.
             */
            date: string;
            /** @description Why nothing, or nothing more. */
            reasons: components["schemas"]["WhatIfReason"][];
            /** @description The caller's rewards of that period without the deal and with it, in the plans that credit it. */
            rewards: components["schemas"]["ImaginedReward"][];
            /** @description What all of these rewards differ by, in each unit. */
            total: components["schemas"]["PayDifference"][];
            /** @description Always true: it must not be mistaken for a result. */
            what_if: boolean;
        };
        /** @description Why a plan gives nothing, or nothing more. */
        WhatIfReason: {
            /** @description A word that stays. */
            code: string;
            /** @description The reason in one sentence. */
            message: string;
            /** @description Id of the plan. */
            plan: string;
            /** @description The rule, if one is to blame. */
            rule: string | null;
            /** @description The step of the plan. */
            stage: string;
        };
        /** @description A deal that the caller asks about. */
        WhatIfRequest: {
            /**
             * Format: decimal
             * @description What the deal is worth.
             */
            amount: string;
            /** @description Other cells of the deal, by column or by a field of the settings such as `product`. */
            columns?: {
                [key: string]: unknown;
            } | null;
            /**
             * Format: date
             * @description The incentive date; the business date by default.
             */
            date?: string | null;
            /**
             * @description Natural key of a deal that the caller has a published direct credit of: its cells are those that
             *     are not given here. Whom it belonged to does not count.
             */
            like?: string | null;
            /** @description Id of a plan; every plan by default. */
            plan?: string | null;
        };
        /** @description Why a payee got what they got of a transaction. */
        WhyNot: {
            /** @description Whether there is such a transaction. */
            known: boolean;
            /** @description A row for every plan that decided it. */
            plans: components["schemas"]["PlanWhyNot"][];
            /** @description Natural key of the transaction, as it was asked for. */
            transaction: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
