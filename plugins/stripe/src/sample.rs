//! The event that Stripe would send when an invoice is paid, for trying a source out.

use accredit_seams::connector::{RejectedDelivery, SampleDeal};
use accredit_webhook_checks::ids;
use jiff::civil::Date;
use jiff::tz::Offset;

/// Decimals of the sample's currency.
const DECIMALS: usize = 2;

/// The body of an event `invoice.paid` for a deal.
pub(crate) fn paid_invoice(deal: &SampleDeal<'_>) -> Result<Vec<u8>, RejectedDelivery> {
    let amount = minor_units(deal.amount).ok_or(RejectedDelivery("the amount is not in cents"))?;
    let paid = noon_of(deal.closed_day).ok_or(RejectedDelivery("the day is not a date"))?;
    let id = ids::hashed_id(&[deal.id.as_bytes(), deal.sent_ms.to_string().as_bytes()]);

    let body = serde_json::json!({
        "id": format!("evt_{id}"),
        "object": "event",
        "api_version": "2025-08-27.basil",
        "created": deal.sent_ms.div_euclid(1000),
        "data": { "object": {
            "id": deal.id,
            "object": "invoice",
            "amount_due": amount,
            "amount_paid": amount,
            "amount_remaining": 0,
            "currency": "usd",
            "customer": "cus_sample",
            "customer_name": deal.name,
            "metadata": { "owner": deal.owner },
            "status": "paid",
            "status_transitions": { "finalized_at": paid, "paid_at": paid },
            "total": amount,
        }},
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": "invoice.paid",
    });
    Ok(body.to_string().into_bytes())
}

/// An amount such as `1200.5` as a whole number of cents, without a fraction of one.
fn minor_units(amount: &str) -> Option<i64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
        return None;
    }
    let (cents, beyond) = fraction.split_at_checked(DECIMALS).unwrap_or((fraction, ""));
    let exact = beyond.bytes().all(|byte| byte == b'0');
    if exact { format!("{whole}{cents:0<DECIMALS$}").parse().ok() } else { None }
}

/// Noon of a day in UTC, in seconds since 1970: the same day in nearly every time zone.
fn noon_of(day: &str) -> Option<i64> {
    let noon = day.parse::<Date>().ok()?.at(12, 0, 0, 0);
    Some(Offset::UTC.to_timestamp(noon).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_cents() {
        for (amount, cents) in [
            ("1200.50", Some(120_050)),
            ("1200.5", Some(120_050)),
            ("1200", Some(120_000)),
            ("0.01", Some(1)),
            ("-7.30", Some(-730)),
            ("7.300", Some(730)),
            ("7.301", None),
            ("7,30", None),
            ("1e3", None),
            ("+7", None),
            ("--7", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(minor_units(amount), cents, "{amount}");
        }
        assert_eq!(noon_of("2026-01-31"), Some(1_769_860_800));
        assert_eq!(noon_of("31 January"), None);
    }
}
