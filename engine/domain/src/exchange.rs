//! Exchange rates: what an amount in one unit is worth in another, on a date.
//!
//! The conversion is exact: an amount is multiplied by the rate, and the caller rounds it once. Not
//! reading of files (`workspace::exchange`) and not a service that knows today's rates. Called by
//! the pipeline at the incentive date and by rewards at a period's last day. Source: DOMAIN 3.10,
//! FORMAT section 1.
//!
//! **Architecture invariant:** a rate leads one way: its inverse is a row of its own, and no two
//! rows are chained; of one pair at most one rate holds on a day.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::calendar::Validity;
use crate::money::{Unit, Units};

/// Every rate of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeRates {
    rates: HashMap<(Unit, Unit), Vec<(Validity, Decimal)>>,
    currencies: BTreeSet<Unit>,
}

/// Why an amount cannot be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoExchange {
    /// No rate leads from one unit to the other on the date.
    NoRate,
    /// The result does not fit a decimal.
    TooLarge,
}

impl ExchangeRates {
    /// Adds a rate: one unit of `from` is `rate` units of `to`.
    pub fn add(&mut self, (from, to): (Unit, Unit), rate: Decimal, validity: Validity) {
        self.rates.entry((from, to)).or_default().push((validity, rate));
        self.currencies.extend([from, to]);
    }

    /// Makes `unit` a currency, whether a rate names it or not.
    pub fn add_currency(&mut self, unit: Unit) {
        self.currencies.insert(unit);
    }

    /// Whether amounts in `unit` are money, and so need a rate to come from another unit.
    pub fn is_currency(&self, unit: Unit) -> bool {
        self.currencies.contains(&unit)
    }

    /// The rate from one unit to another on `date`.
    pub fn rate_on(&self, from: Unit, to: Unit, date: Date) -> Option<Decimal> {
        let known = self.rates.get(&(from, to))?.iter();
        let mut valid = known.filter(|(validity, _)| validity.contains(date));
        valid.next().map(|(_, rate)| *rate)
    }

    /// `amount` of `from` in `to`, unrounded. It stays as it is where both are the same, or where
    /// `to` is no currency: points are counted, in any currency of the deal.
    ///
    /// # Errors
    /// [`NoExchange`] when `to` is another currency and the amount has no counterpart in it.
    pub fn exchange(
        &self,
        amount: Decimal,
        (from, to): (Unit, Unit),
        date: Date,
    ) -> Result<Decimal, NoExchange> {
        if from == to || !self.is_currency(to) {
            return Ok(amount);
        }
        let rate = self.rate_on(from, to, date).ok_or(NoExchange::NoRate)?;
        amount.checked_mul(rate).ok_or(NoExchange::TooLarge)
    }
}

/// What a workspace exchanges with: its units and rates, and the unit of amounts that name none.
#[derive(Debug, Clone)]
pub struct ExchangeSettings {
    /// The units that amounts may have.
    pub units: Units,
    /// The rates between currencies, by day.
    pub rates: ExchangeRates,
    /// The workspace's currency, of amounts that name none.
    pub home: Unit,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const USD: Unit = Unit { index: 0, scale: 2 };
    const EUR: Unit = Unit { index: 1, scale: 2 };
    const GBP: Unit = Unit { index: 2, scale: 2 };
    const POINTS: Unit = Unit { index: 3, scale: 0 };

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// The two rates of DOMAIN 3.10, and one that leads on.
    fn rates() -> ExchangeRates {
        let mut rates = ExchangeRates::default();
        let january = Validity::from_inclusive(Some(date(2022, 1, 1)), Some(date(2022, 1, 31)));
        let later = Validity::from_inclusive(Some(date(2022, 2, 1)), None);
        rates.add((USD, EUR), number("0.90"), january);
        rates.add((USD, EUR), number("0.88"), later);
        rates.add((EUR, GBP), number("0.5"), Validity::default());
        rates
    }

    /// Ten points were ten yen where no rate named the yen.
    #[test]
    fn a_currency_without_a_rate_takes_no_amount_of_another_unit() {
        let yen = Unit { index: 4, scale: 0 };
        let (mut rates, day) = (rates(), date(2022, 1, 15));
        assert_eq!(rates.exchange(number("10"), (POINTS, yen), day), Ok(number("10")));
        rates.add_currency(yen);
        assert!(rates.is_currency(yen));
        assert_eq!(rates.exchange(number("10"), (POINTS, yen), day), Err(NoExchange::NoRate));
    }

    #[test]
    fn goldens_of_domain_3_10() {
        let check = |amount: &str, units, day: Date, expected: Result<&str, NoExchange>| {
            let actual = rates().exchange(number(amount), units, day);
            assert_eq!(actual, expected.map(number), "{amount} on {day}");
        };
        check("1000", (USD, EUR), date(2022, 1, 31), Ok("900.00"));
        check("1000", (USD, EUR), date(2022, 2, 1), Ok("880.00"));
        check("-1000", (USD, EUR), date(2022, 2, 1), Ok("-880.00"));
        check("1000", (USD, EUR), date(2021, 12, 31), Err(NoExchange::NoRate));
        // The inverse is a row of its own, and rates are not chained.
        check("1000", (EUR, USD), date(2022, 1, 31), Err(NoExchange::NoRate));
        check("1000", (USD, GBP), date(2022, 1, 31), Err(NoExchange::NoRate));
        // Points are no money, and nothing says what they are worth.
        check("7", (USD, POINTS), date(2022, 1, 31), Ok("7"));
        check("7", (POINTS, USD), date(2022, 1, 31), Err(NoExchange::NoRate));
        check("7", (EUR, EUR), date(2022, 1, 31), Ok("7"));
        let most = Decimal::MAX.to_string();
        let mut rates = rates();
        rates.add((GBP, USD), number("2"), Validity::default());
        let actual = rates.exchange(number(&most), (GBP, USD), date(2022, 1, 1));
        assert_eq!(actual, Err(NoExchange::TooLarge));
    }
}
