# What every command in debug builds and tests, so that no crate is compiled twice with other features: the whole workspace,
# and the program with every feature, also the one for tests alone that ends it at a chosen commit. Read by tests/run and
# the scripts that build on their own.
selected=(--workspace --locked --features accredit/otel,accredit/crash-points)
