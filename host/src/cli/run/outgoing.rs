//! Options of `accredit serve` about what leaves the server by itself: events and mails.
//!
//! Not the server's other options (`serve`) and not secrets, which are in the environment alone.

use std::time::Duration;

use clap::Args;
use lettre::message::Mailbox;

use crate::cli::run::interval::{TimeInterval, parse_interval};
use crate::server::config::{Config, MailPlan};
use crate::server::mailer::parse_mailbox;
use crate::server::peers::AddressRange;

/// What leaves the server by itself.
#[derive(Debug, Args)]
pub(crate) struct OutgoingArguments {
    /// Let events be sent to these private addresses, each such as 10.0.0.0/8, also without TLS.
    #[arg(
        long,
        value_name = "ADDR[/BITS]",
        env = "ACCREDIT_PRIVATE_DESTINATIONS",
        value_delimiter = ','
    )]
    private_destinations: Vec<AddressRange>,
    /// Mail a digest of new alerts to these addresses, through the server of ACCREDIT_SMTP_URL.
    #[arg(
        long, value_name = "ADDRESS", env = "ACCREDIT_MAIL_TO", value_delimiter = ',',
        value_parser = parse_mailbox, requires = "mail_from"
    )]
    mail_to: Vec<Mailbox>,
    /// The sender of the digest.
    #[arg(long, value_name = "ADDRESS", env = "ACCREDIT_MAIL_FROM", value_parser = parse_mailbox)]
    mail_from: Option<Mailbox>,
    /// The time between two digests, such as 24h or 30m.
    #[arg(
        long, value_name = "TIME", env = "ACCREDIT_MAIL_EVERY", default_value = "24h",
        value_parser = parse_interval
    )]
    mail_every: TimeInterval,
}

impl OutgoingArguments {
    /// The configuration with these options.
    pub(crate) fn apply(self, config: Config) -> Config {
        let (recipients, every): (_, Option<Duration>) = (self.mail_to, self.mail_every.0);
        let plan = self.mail_from.zip(every).filter(|_| !recipients.is_empty());
        let mail = plan.map(|(from, every)| MailPlan { from, recipients, every });
        Config { mail, private_destinations: self.private_destinations, ..config }
    }
}
