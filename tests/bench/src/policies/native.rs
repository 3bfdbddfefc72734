//! The policy written by hand in Rust, with exact decimals and a list as its answer.

use rust_decimal::Decimal;

use super::{Deal, Part, Policy};

pub struct Native;

impl Policy for Native {
    type Answer = Vec<Part>;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(Vec<Part>)) {
        let (thousand, half) = (Decimal::from(1000), Decimal::from(500));
        for deal in deals {
            let part = |who: &std::sync::Arc<str>, tenths: i64| Part {
                who: who.clone(),
                weight: Some(Decimal::new(tenths, 1)),
            };
            let (first, second) = (&deal.first, &deal.second);
            take(if deal.quantity >= thousand || second.is_empty() {
                vec![Part { who: first.clone(), weight: None }]
            } else if deal.quantity >= half {
                vec![part(first, 6), part(second, 4)]
            } else if &*deal.city == "Berlin" {
                vec![part(first, 7), part(second, 3)]
            } else {
                vec![part(first, 5), part(second, 5)]
            });
        }
    }

    fn parts(answer: Vec<Part>) -> Vec<Part> {
        answer
    }
}
