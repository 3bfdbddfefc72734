# What every command in debug builds and tests, so that no crate is compiled twice with other features: the whole workspace,
# and the program with every feature. Read by tests/run and the scripts that build on their own.
selected=(--workspace --locked --features accredit/otel)
