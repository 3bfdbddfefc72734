//! The thread that mails a digest of new alerts.
//!
//! Not which alerts are open (the operations) and not events for programs (`dispatcher`). Off unless
//! recipients are named.
//!
//! **Architecture invariant:** an alert counts as told only once the mail server has taken the message; a
//! mail server that is down is tried again, and nothing else waits for it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use accredit_operations::alert_digest::{self, AlertDigest, ToldAlerts};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::{Message, SmtpTransport, Transport};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::server::clock::format_rfc3339;
use crate::server::config::MailPlan;
use crate::server::state::Service;

/// How often it looks whether a digest is due.
const TICK: Duration = Duration::from_millis(250);

/// After a digest that was not sent, the next try comes so much later.
const RETRY_MS: i64 = 5 * 60 * 1000;

/// A conversation with the mail server has this long.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Characters of a line of the message at most.
const LINE_CHARACTERS_MAX: usize = 300;

/// Where it is kept what people were told.
const DIGEST_KEY: &str = "alert_digest";

/// What the last digest said.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct SentDigest {
    /// When it was sent, milliseconds since 1970.
    at_ms: i64,
    /// The alerts that were open then.
    told: ToldAlerts,
}

/// Why no digest was sent.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("{0}")]
    Data(String),
    #[error("set `ACCREDIT_SMTP_URL`, such as smtps://user:password@mail.example.com")]
    NoServer,
    #[error("`ACCREDIT_SMTP_URL`: {0}")]
    BadServer(String),
    #[error("the message cannot be written: {0}")]
    BadMessage(String),
    #[error("the mail server did not take it: {0}")]
    Refused(String),
}

/// Mails digests until the server stops.
pub(crate) fn run(service: &Service) {
    let Some(plan) = &service.config.mail else { return };
    let mut next_ms = 0;

    while !service.stopping.load(Ordering::Acquire) {
        let now_ms = service.clock.now_ms();
        if now_ms >= next_ms {
            next_ms = match send_digest(service, plan, now_ms) {
                Ok(next_ms) => next_ms,
                Err(error) => {
                    service.metrics.own_work.count_mail("failed");
                    tracing::warn!(error.cause = %error, "the digest of alerts was not sent");
                    now_ms.saturating_add(RETRY_MS)
                }
            };
        }
        std::thread::sleep(TICK);
    }
}

/// Sends a digest if one is due and has something new; gives when to look again.
fn send_digest(service: &Service, plan: &MailPlan, now_ms: i64) -> Result<i64, MailError> {
    let every_ms = i64::try_from(plan.every.as_millis()).unwrap_or(i64::MAX);
    let kept = service.context.ledger.get_meta(DIGEST_KEY);
    let kept = kept.map_err(|error| MailError::Data(error.to_string()))?;
    let last: Option<SentDigest> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
    let due_ms = last.as_ref().map_or(0, |last| last.at_ms.saturating_add(every_ms));
    if now_ms < due_ms {
        return Ok(due_ms);
    }

    let known = last.as_ref().map(|last| last.told.clone()).unwrap_or_default();
    let digest = alert_digest::collect_alerts(&service.context, &known);
    let digest = digest.map_err(|error| MailError::Data(format!("{error:?}")))?;
    if digest.new_count() > 0 {
        let since_ms = last.map(|last| last.at_ms);
        send_message(service, plan, &digest, since_ms)?;
        service.metrics.own_work.count_mail("sent");
    }

    let sent = SentDigest { at_ms: now_ms, told: digest.told };
    let row = serde_json::to_vec(&sent).map_err(|error| MailError::Data(error.to_string()))?;
    let kept = service.context.ledger.set_meta(DIGEST_KEY, &row);
    kept.map_err(|error| MailError::Data(error.to_string()))?;
    Ok(now_ms.saturating_add(every_ms))
}

fn send_message(
    service: &Service,
    plan: &MailPlan,
    digest: &AlertDigest,
    since_ms: Option<i64>,
) -> Result<(), MailError> {
    let workspace = plain_line(&service.context.ruleset.load().settings.name);
    let (new, open) = (digest.new_count(), digest.open);

    let mut message = Message::builder()
        .from(plan.from.clone())
        .subject(format!("accredit, {workspace}: new alerts {new}, open {open}"))
        .message_id(None)
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    for recipient in &plan.recipients {
        message = message.to(recipient.clone());
    }
    let message = message.body(digest_text(&workspace, digest, since_ms));
    let message = message.map_err(|error| MailError::BadMessage(error.to_string()))?;

    let credentials = service.credentials.load();
    let url = credentials.smtp_url.as_ref().ok_or(MailError::NoServer)?;
    let transport = mail_transport(url.expose_secret())?;
    let sent = transport.send(&message);
    sent.map(drop).map_err(|error| MailError::Refused(error.to_string()))
}

/// A text as a part of one line: what comes from outside could look like lines of ours.
fn plain_line(text: &str) -> String {
    let plain = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    plain.take(LINE_CHARACTERS_MAX).collect()
}

/// The header that keeps programs from answering.
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// What talks to the mail server.
fn mail_transport(url: &str) -> Result<SmtpTransport, MailError> {
    // The error of the library could repeat the password.
    let unreadable = || MailError::BadServer("expected smtps://user:password@host:port".to_owned());
    if !is_protected(url) {
        let reason = "without TLS, only a server on this machine may be used: write smtps://, or \
                      smtp:// with ?tls=required";
        return Err(MailError::BadServer(reason.to_owned()));
    }
    let transport = SmtpTransport::from_url(url).map_err(|_| unreadable())?;
    Ok(transport.timeout(Some(TIMEOUT)).build())
}

/// Whether the password and the message cannot be read on the way.
fn is_protected(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("smtp://") else { return url.starts_with("smtps://") };
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = authority.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_local = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_local || query == "tls=required"
}

/// The text of a digest.
fn digest_text(workspace: &str, digest: &AlertDigest, since_ms: Option<i64>) -> String {
    let since = since_ms.map(|since_ms| format!(" since {}", format_rfc3339(since_ms)));
    let since = since.unwrap_or_default();
    let (new, open) = (digest.new_count(), digest.open);
    let mut text =
        format!("Alerts of {workspace} that are new{since}: {new}. Open in all: {open}.\n");

    for (code, alerts) in &digest.new {
        text.push_str(&format!("\n{code} ({})\n", alerts.count));
        for message in &alerts.messages {
            text.push_str(&format!("- {}\n", plain_line(message)));
        }
        let more = alerts.count - alerts.messages.len();
        if more > 0 {
            text.push_str(&format!("- and {more} more\n"));
        }
    }

    text.push_str(
        "\nGET /v1/alerts lists all of them. scripts/problems.md says what each code means.\n",
    );
    text
}

/// A mailbox such as `Ann <ann@example.com>`.
///
/// # Errors
/// What is expected instead.
pub(crate) fn parse_mailbox(text: &str) -> Result<Mailbox, String> {
    let expected = |_| format!("`{text}` is not an address such as ann@example.com");
    text.trim().parse().map_err(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A natural key with line breaks wrote lines of its own into the mail.
    #[test]
    fn what_comes_from_outside_stays_on_its_line() {
        assert_eq!(plain_line("D1\r\n- all is well"), "D1  - all is well");
        assert_eq!(plain_line(&"x".repeat(1000)).len(), LINE_CHARACTERS_MAX);
    }

    #[test]
    fn a_password_leaves_the_machine_over_tls_alone() {
        for url in [
            "smtps://u:p@mail.example.com",
            "smtp://u:p@mail.example.com:587?tls=required",
            "smtp://127.0.0.1:25",
            "smtp://localhost",
            "smtp://u:p@[::1]:25/x",
        ] {
            assert!(is_protected(url), "{url}");
        }
        for url in [
            "smtp://mail.example.com",
            "smtp://u:127.0.0.1@mail.example.com",
            "smtp://mail.example.com?tls=opportunistic",
            "smtp://mail.example.com?tls=opportunistic&tls=required",
            "http://127.0.0.1",
            "",
        ] {
            assert!(!is_protected(url), "{url}");
        }
    }
}
