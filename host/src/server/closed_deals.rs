//! The deals that a CRM says were won in some days, asked of its API page by page.
//!
//! Not comparing them (`accredit_operations::reconcile`) and not the requests (connectors make them). Called
//! by a reconciliation; nothing is stored.
//!
//! **Architecture invariant:** pages, deals and time have a limit: beyond it there is no list, never one that
//! is cut off.

use std::sync::atomic::Ordering;
use std::time::Duration;

use accredit_domain::transaction::Record;
use accredit_operations::intake::{self, IntakeMachine};
use accredit_seams::connector::ClosedSpan;
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::http::problem::Problem;
use crate::server::clock;
use crate::server::crm_api::{ApiSource, FetchFailure};
use crate::server::state::Service;

/// Pages of a list, and deals of it.
const PAGES_MAX: usize = 1_000;
const DEALS_MAX: usize = 100_000;

/// A list has this long: the request that asks for it has 300 seconds.
const TIME_MAX: Duration = Duration::from_secs(240);

/// Tries of a page, the pause after the first, which doubles, and the longest one.
const TRIES_MAX: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Goes through the deals that were won from the first to the last day, each as the row that an event of it
/// would make.
///
/// # Errors
/// When the source has no such list, the CRM does not give it, or `each` refuses.
pub(crate) fn visit_closed_deals(
    service: &Service,
    ruleset: &Ruleset,
    (name, days): (&str, (Date, Date)),
    each: &mut dyn FnMut(&Record) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let found = intake::source_of(&service.context, ruleset, name);
    let (source, connector) = found.map_err(|_| Problem::not_found("source"))?;
    let span = span_of(days, &ruleset.settings.time_zone)?;
    let of = ApiSource { name, connector, settings: &source.settings };

    let deadline = clock::elapsed() + TIME_MAX;
    let (mut machines, mut cursor, mut deals) = (IntakeMachine::default(), None::<String>, 0);
    for _ in 0..PAGES_MAX {
        if clock::elapsed() > deadline {
            let seconds = TIME_MAX.as_secs();
            return Err(refused(
                name,
                &format!("it took more than {seconds} s: ask for fewer days"),
            ));
        }
        let needed = connector.closed_deals_request(&span, cursor.as_deref(), &source.settings);
        let needed = needed.map_err(|error| Problem::bad_request(error.to_string()))?;
        let answer = ask_patiently(service, of, &needed, deadline)?;
        let page = connector.closed_deals_page(&span, &answer);
        let page = page.map_err(|error| refused(name, &error.0))?;

        deals += page.events.len();
        if deals > DEALS_MAX {
            let detail = format!("the list has more than {DEALS_MAX} deals: ask for fewer days");
            return Err(Problem::bad_request(detail));
        }
        for event in page.events {
            let rows =
                intake::rows_of_event(&service.context, ruleset, &mut machines, (name, event));
            for row in rows.map_err(|error| refused(name, &error))? {
                each(&row)?;
            }
        }
        let next = page.next;
        if next.is_none() {
            return Ok(());
        }
        if next == cursor {
            return Err(refused(name, "the CRM names the same page again"));
        }
        cursor = next;
    }
    let detail = format!("the list has more than {PAGES_MAX} pages: ask for fewer days");
    Err(Problem::bad_request(detail))
}

/// The answer to a request, after some tries where the CRM cannot answer at the moment.
fn ask_patiently(
    service: &Service,
    of: ApiSource<'_>,
    needed: &accredit_seams::connector::FetchRequest,
    deadline: Duration,
) -> Result<String, Problem> {
    let mut pause = FIRST_PAUSE;
    for tried in 1.. {
        let failure = match service.crm_api.search(&service.credentials.load(), of, needed) {
            Ok(answer) => return Ok(answer.unwrap_or_default()),
            Err(failure) => failure,
        };
        let (reason, retry_after_ms) = match failure {
            FetchFailure::Passing { reason, retry_after_ms } if tried < TRIES_MAX => {
                (reason, retry_after_ms)
            }
            FetchFailure::Passing { reason, .. }
            | FetchFailure::Lasting(reason)
            | FetchFailure::NotReady(reason) => return Err(refused(of.name, &reason)),
        };

        let wanted =
            retry_after_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        let wait = wanted.unwrap_or_default().max(pause).min(PAUSE_MAX);
        if clock::elapsed() + wait > deadline || service.stopping.load(Ordering::Acquire) {
            return Err(refused(of.name, &reason));
        }
        std::thread::sleep(wait);
        pause = pause.saturating_mul(2);
    }
    Err(refused(of.name, "no answer"))
}

/// The days as the workspace's time zone has them.
fn span_of((first, last): (Date, Date), zone: &str) -> Result<ClosedSpan, Problem> {
    let beyond = || Problem::bad_request("`from` must not be after `to`, and both near enough");
    if first > last {
        return Err(beyond());
    }
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let begin =
        |day: Date| day.to_zoned_datetime(zone.clone()).map(|at| at.timestamp().as_millisecond());
    let after = last.tomorrow().map_err(|_| beyond())?;
    Ok(ClosedSpan {
        first_day: first.to_string(),
        last_day: last.to_string(),
        from_ms: begin(first).map_err(|_| beyond())?,
        until_ms: begin(after).map_err(|_| beyond())?,
    })
}

/// The refusal of a list that the CRM did not give.
fn refused(source: &str, reason: &str) -> Problem {
    Problem::unavailable(format!("the CRM behind `{source}` gave no list: {reason}"))
}
