//! The token of the API and the secrets of sources: from the environment, or made at first start.
//!
//! Not verification of deliveries (a connector's). A token is kept as a hash alone; secrets that
//! were made here are kept in the data file, because a signature cannot be checked with a hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_workspace::Ruleset;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use crate::plugins;
use crate::server::config::{Config, secret_variable};

const TOKEN_KEY: &str = "token";
const SECRET_KEY: &str = "secret/";
const TOKEN_BYTES: usize = 32;
const SECRET_BYTES: usize = 32;

/// Names in the audit trail that are nobody's: the unnamed token and parts of the server.
const ACTORS: [&str; 4] = ["admin", "serve", "watch", "worker"];

/// What a token is compared with.
#[derive(Clone, Copy)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(token: &str) -> Self {
        TokenHash(*blake3::hash(token.as_bytes()).as_bytes())
    }

    /// Whether `token` is the one, in constant time.
    pub(crate) fn matches(&self, token: &str) -> bool {
        self.0.ct_eq(&TokenHash::of(token).0).into()
    }
}

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Read, and preview.
    Reader,
    /// Also make changes of definitions.
    Author,
    /// Also approve changes of others.
    Approver,
    /// Everything.
    Admin,
}

impl Role {
    /// The role with this name.
    pub(crate) fn parse(name: &str) -> Option<Role> {
        match name {
            "reader" => Some(Role::Reader),
            "author" => Some(Role::Author),
            "approver" => Some(Role::Approver),
            "admin" => Some(Role::Admin),
            _ => None,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Author => "author",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }
}

/// A token with a name: the name is what the audit trail shows.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// Whose it is.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// The token.
    pub(crate) token: String,
}

/// Tokens out of `name:role:token`, separated by spaces.
///
/// # Errors
/// What is not understood; tokens are not repeated.
pub(crate) fn named(text: &str) -> Result<Vec<Named>, String> {
    let mut all: Vec<Named> = Vec::new();
    for part in text.split_whitespace() {
        let mut parts = part.splitn(3, ':');
        let (Some(name), Some(role), Some(token)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("expected `name:role:token`, separated by spaces".to_owned());
        };
        let role = Role::parse(role).ok_or_else(|| {
            format!("`{role}` is no role; write admin, author, approver or reader")
        })?;
        let same = |known: &Named| known.name.eq_ignore_ascii_case(name);
        if name.is_empty() || token.is_empty() || all.iter().any(same) {
            return Err(format!("`{name}` must stand once, with a token"));
        }
        if ACTORS.iter().any(|actor| actor.eq_ignore_ascii_case(name)) {
            return Err(format!("`{name}` is what the audit trail calls the server itself"));
        }
        if let Some(other) = all.iter().find(|known| known.token == token) {
            // Two names with one token would approve each other.
            return Err(format!("`{}` and `{name}` have the same token", other.name));
        }
        all.push(Named { name: name.to_owned(), role, token: token.to_owned() });
    }
    Ok(all)
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// As in the audit trail.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
}

/// Every token that is known, as hashes.
pub(crate) struct Tokens(Vec<(Caller, TokenHash)>);

impl Tokens {
    /// The unnamed token, which may do everything, and those with names.
    pub(crate) fn new(unnamed: TokenHash, named: &[Named]) -> Tokens {
        let admin = Caller { name: "admin".to_owned(), role: Role::Admin };
        let named = named.iter().map(|one| {
            let caller = Caller { name: one.name.clone(), role: one.role };
            (caller, TokenHash::of(&one.token))
        });
        Tokens(std::iter::once((admin, unnamed)).chain(named).collect())
    }

    /// Whose token it is; every one is compared, in constant time each.
    pub(crate) fn caller(&self, token: &str) -> Option<&Caller> {
        let mut found = None;
        for (caller, hash) in &self.0 {
            if hash.matches(token) {
                found = Some(caller);
            }
        }
        found
    }
}

/// The token's hash, and the token itself where it was made just now or given.
pub(crate) fn token(
    ledger: &Ledger,
    config: &Config,
) -> Result<(TokenHash, Option<String>), String> {
    if let Some(token) = &config.token {
        return Ok((TokenHash::of(token), Some(token.clone())));
    }
    let failed = |error| format!("the token cannot be kept: {error}");
    if let Some(hash) = ledger.meta(TOKEN_KEY).map_err(failed)? {
        let hash: [u8; 32] = hash.as_slice().try_into().map_err(|_| "the token is unreadable")?;
        return Ok((TokenHash(hash), None));
    }
    let token = new_token()?;
    let hash = TokenHash::of(&token);
    ledger.set_meta(TOKEN_KEY, &hash.0).map_err(failed)?;
    eprintln!("ACCREDIT_TOKEN={token}");
    Ok((hash, Some(token)))
}

/// A token that nobody can guess.
pub(crate) fn new_token() -> Result<String, String> {
    Ok(format!("act_{}", URL_SAFE_NO_PAD.encode(random::<TOKEN_BYTES>()?)))
}

/// The active secrets of each source.
pub(crate) type Secrets = BTreeMap<String, Vec<String>>;

/// The secrets of every source of `ruleset`; made, kept and printed once where there are none.
pub(crate) fn secrets(
    ledger: &Ledger,
    given: &BTreeMap<String, Vec<String>>,
    ruleset: &Arc<Ruleset>,
) -> Result<Secrets, String> {
    let mut secrets = Secrets::new();
    for (name, source) in &ruleset.settings.sources {
        let variable = secret_variable(name);
        let active = match given.get(&variable) {
            Some(given) => given.clone(),
            None => vec![kept_secret(ledger, name, &variable)?],
        };
        if let Some(connector) = plugins::connector(&source.connector) {
            for secret in &active {
                let refused =
                    |why| format!("`{variable}` holds a secret that is not usable: {why}");
                connector.accepts(secret).map_err(refused)?;
            }
        }
        secrets.insert(name.clone(), active);
    }
    Ok(secrets)
}

fn kept_secret(ledger: &Ledger, source: &str, variable: &str) -> Result<String, String> {
    let failed = |error| format!("the secret of `{source}` cannot be kept: {error}");
    let key = format!("{SECRET_KEY}{source}");
    if let Some(kept) = ledger.meta(&key).map_err(failed)? {
        return String::from_utf8(kept)
            .map_err(|_| format!("the secret of `{source}` is unreadable"));
    }
    let secret = format!("whsec_{}", STANDARD.encode(random::<SECRET_BYTES>()?));
    ledger.set_meta(&key, secret.as_bytes()).map_err(failed)?;
    eprintln!("{variable}={secret}");
    Ok(secret)
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes)
}
