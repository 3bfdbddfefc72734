//! Tests of rewards over time.
