//! The token of the API and the secrets of sources: from the environment, or made at first start.
//!
//! Not verification of deliveries (a connector's). A token is kept as a hash alone; secrets that
//! were made here are kept in the data file, because a signature cannot be checked with a hash.

use std::collections::BTreeMap;

use accredit_ledger::Ledger;
use accredit_operations::principal::Principal;
use accredit_seams::connector::SecretOrigin;
use accredit_workspace::Ruleset;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::plugins;
use crate::server::credentials::{Credentials, NamedToken, secret_variable};

const TOKEN_KEY: &str = "token";
const SECRET_KEY: &str = "secret/";
const TOKEN_BYTES: usize = 32;
const SECRET_BYTES: usize = 32;

/// What a token is compared with.
#[derive(Clone, Copy)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    pub(crate) fn hash_token(token: &str) -> Self {
        TokenHash(*blake3::hash(token.as_bytes()).as_bytes())
    }

    /// A hash that was kept as text.
    pub(crate) fn from_hex(text: &str) -> Option<TokenHash> {
        blake3::Hash::from_hex(text).ok().map(|hash| TokenHash(*hash.as_bytes()))
    }

    /// The hash as text.
    pub(crate) fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// Whether `token` is the one, in constant time.
    pub(crate) fn matches(&self, token: &str) -> bool {
        self.0.ct_eq(&TokenHash::hash_token(token).0).into()
    }
}

/// Every token that is known, as hashes.
pub(crate) struct Tokens(Vec<(Principal, TokenHash)>);

impl Tokens {
    /// The unnamed token, which may do everything, and those with names.
    pub(crate) fn new(unnamed: TokenHash, named: &[NamedToken]) -> Tokens {
        let admin = Principal::admin("admin");
        // A role that is bound to a participant or a source has no tokens: it needs a key.
        let named = named.iter().filter_map(|one| {
            let caller = Principal::of_staff(one.name.clone(), one.role)?;
            Some((caller, TokenHash::hash_token(one.token.expose_secret())))
        });
        Tokens(std::iter::once((admin, unnamed)).chain(named).collect())
    }

    /// Whose token it is; every one is compared, in constant time each.
    pub(crate) fn find_caller(&self, token: &str) -> Option<&Principal> {
        let mut found = None;
        for (caller, hash) in &self.0 {
            if hash.matches(token) {
                found = Some(caller);
            }
        }
        found
    }

    /// Whether a token has this name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.0.iter().any(|(caller, _)| caller.name.eq_ignore_ascii_case(name))
    }
}

/// Every token that counts: those given, and without an unnamed one the one made at first start.
pub(crate) fn load_tokens(ledger: &Ledger, given: &Credentials) -> Result<Tokens, String> {
    Ok(Tokens::new(unnamed_token(ledger, given)?, &given.tokens))
}

/// The hash of the unnamed token; it is made, kept and printed once where there is none.
fn unnamed_token(ledger: &Ledger, given: &Credentials) -> Result<TokenHash, String> {
    if let Some(token) = &given.token {
        return Ok(TokenHash::hash_token(token.expose_secret()));
    }

    let failed = |error| format!("the token cannot be kept: {error}");
    if let Some(hash) = ledger.get_meta(TOKEN_KEY).map_err(failed)? {
        let hash: [u8; 32] = hash.as_slice().try_into().map_err(|_| "the token is unreadable")?;
        return Ok(TokenHash(hash));
    }

    let token = new_token()?;
    let hash = TokenHash::hash_token(token.expose_secret());
    // Kept before it is shown: a token that was printed must still work after a restart.
    ledger.set_meta(TOKEN_KEY, &hash.0).map_err(failed)?;
    eprintln!("ACCREDIT_TOKEN={}", token.expose_secret());

    Ok(hash)
}

/// A random token that cannot be guessed.
pub(crate) fn new_token() -> Result<SecretString, String> {
    Ok(format!("act_{}", URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()?)).into())
}

/// The active secrets of each source.
pub(crate) type Secrets = BTreeMap<String, Vec<SecretString>>;

/// The secrets of every source of `ruleset`; made, kept and printed once where there are none.
pub(crate) fn load_secrets(
    ledger: &Ledger,
    given: &Credentials,
    ruleset: &Ruleset,
) -> Result<Secrets, String> {
    let mut secrets = Secrets::new();
    for (name, source) in &ruleset.settings.sources {
        // A connector that this build does not have is an error of `check`.
        let Some(connector) = plugins::find_connector(&source.connector) else { continue };
        let variable = secret_variable(name);

        let active = match given.secrets.get(&variable) {
            Some(given) => given.clone(),
            None => {
                let origin = connector.secret_origin(&source.settings);
                vec![kept_secret(ledger, (name, &source.connector), &variable, origin)?]
            }
        };

        for secret in &active {
            let refused = |why| format!("`{variable}` holds a secret that is not usable: {why}");
            let usable = connector.check_secret(secret.expose_secret(), &source.settings);
            usable.map_err(refused)?;
        }

        secrets.insert(name.clone(), active);
    }

    Ok(secrets)
}

/// The secret of a source that the server made, now or before.
fn kept_secret(
    ledger: &Ledger,
    (source, connector): (&str, &str),
    variable: &str,
    origin: SecretOrigin,
) -> Result<SecretString, String> {
    let random = random_bytes::<SECRET_BYTES>()?;
    let secret = match origin {
        SecretOrigin::WebhookKey => format!("whsec_{}", STANDARD.encode(random)),
        SecretOrigin::Token => URL_SAFE_NO_PAD.encode(random),
        SecretOrigin::UserPassword => format!("accredit:{}", URL_SAFE_NO_PAD.encode(random)),
        SecretOrigin::Given => {
            return Err(format!(
                "the source `{source}` needs the secret that its sender made: set `{variable}` to it \
                 (connector `{connector}`)"
            ));
        }
    };

    let failed = |error| format!("the secret of `{source}` cannot be kept: {error}");
    // A source that changes its connector needs a secret of another kind. The first kind has the key
    // that it always had.
    let key = match origin {
        SecretOrigin::WebhookKey => format!("{SECRET_KEY}{source}"),
        _ => format!("{SECRET_KEY}{source}/{origin:?}"),
    };
    if let Some(kept) = ledger.get_meta(&key).map_err(failed)? {
        return String::from_utf8(kept)
            .map(SecretString::from)
            .map_err(|_| format!("the secret of `{source}` is unreadable"));
    }

    ledger.set_meta(&key, secret.as_bytes()).map_err(failed)?;
    eprintln!("{variable}={secret}");
    Ok(secret.into())
}

/// Bytes that cannot be guessed.
///
/// # Errors
/// When the machine has none.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes)
}
