//! ID tokens: their signature, and whether they are for this server, for this sign-in and for now.
//!
//! Not where the keys come from (`provider`). Source: OpenID Connect Core 1.0, 3.1.3.7; RFC 7515, 7518,
//! 8037 and 8725.
//!
//! **Architecture invariant:** the algorithm is one of three with public keys, and the kind of the key has
//! to be the one of the algorithm: a token cannot choose to be unsigned.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value as Json;

/// How far the clocks of the provider and of this machine may differ.
const SKEW_S: i64 = 60;

/// Bytes of a token.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// A public key of a provider.
#[derive(Debug, Clone, Deserialize)]
struct PublicKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The keys of a provider; those of a kind that is not known are left out.
#[derive(Debug, Clone, Default)]
pub(super) struct ProviderKeys(Vec<PublicKey>);

/// What a token has to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now_s: i64,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    /// No key of the provider has its id, or none verifies a token without one: the keys may have changed.
    UnknownKey,
    /// Anything else.
    Refused(&'static str),
}

#[derive(Deserialize)]
struct TokenHead {
    alg: String,
    kid: Option<String>,
    crit: Option<Json>,
}

impl ProviderKeys {
    /// The keys of a JWK set; none where it has another shape.
    pub(super) fn from_json(set: &Json) -> Option<ProviderKeys> {
        let keys = set.get("keys")?.as_array()?.iter();
        let keys = keys.filter_map(|key| serde_json::from_value::<PublicKey>(key.clone()).ok());
        Some(ProviderKeys(keys.collect()))
    }
}

impl PublicKey {
    /// Whether the signature is one of this key, by an algorithm that goes with its kind.
    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        let part = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        match (algorithm, self.kty.as_str(), self.crv.as_deref()) {
            ("RS256", "RSA", _) => part(&self.n).zip(part(&self.e)).is_some_and(|(n, e)| {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }),
            ("ES256", "EC", Some("P-256")) => {
                part(&self.x).zip(part(&self.y)).is_some_and(|(x, y)| {
                    let point = [&[4], &x[..], &y[..]].concat();
                    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                    key.verify(signed, signature).is_ok()
                })
            }
            ("EdDSA", "OKP", Some("Ed25519")) => part(&self.x).is_some_and(|x| {
                UnparsedPublicKey::new(&ED25519, x).verify(signed, signature).is_ok()
            }),
            _ => false,
        }
    }
}

/// What a token says, once it is one of the provider's for this sign-in.
pub(super) fn verify_id_token(
    token: &str,
    keys: &ProviderKeys,
    expected: Expected<'_>,
) -> Result<Json, TokenError> {
    const SHAPE: TokenError = TokenError::Refused("it has another shape");
    if token.len() > TOKEN_BYTES_MAX {
        return Err(SHAPE);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(SHAPE)?;
    let (head, claims) = signed.split_once('.').ok_or(SHAPE)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| SHAPE);
    let head: TokenHead = serde_json::from_slice(&decode(head)?).map_err(|_| SHAPE)?;
    let signature = decode(signature)?;

    if !["RS256", "ES256", "EdDSA"].contains(&head.alg.as_str()) || head.crit.is_some() {
        return Err(TokenError::Refused("its algorithm is not allowed"));
    }
    let is_named = |key: &&PublicKey| head.kid.is_none() || key.kid == head.kid;
    let signs = |key: &&PublicKey| key.usage.as_deref().is_none_or(|usage| usage == "sig");
    let mut candidates = keys.0.iter().filter(is_named).filter(signs).peekable();
    if candidates.peek().is_none() {
        return Err(TokenError::UnknownKey);
    }
    if !candidates.any(|key| key.verifies(&head.alg, signed.as_bytes(), &signature)) {
        let has_id = head.kid.is_some();
        let mismatch = TokenError::Refused("its signature does not match");
        return Err(if has_id { mismatch } else { TokenError::UnknownKey });
    }

    let claims: Json = serde_json::from_slice(&decode(claims)?).map_err(|_| SHAPE)?;
    check_claims(&claims, expected).map_err(TokenError::Refused)?;
    Ok(claims)
}

fn check_claims(claims: &Json, expected: Expected<'_>) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Json::as_str);
    let time = |name: &str| claims.get(name).and_then(Json::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "seconds of this age are far below 2^53")]
    let (now, skew) = (expected.now_s as f64, SKEW_S as f64);

    if text("iss") != Some(expected.issuer) {
        return Err("it is of another issuer");
    }
    let (is_ours, others) = match claims.get("aud") {
        Some(Json::String(one)) => (one == expected.client_id, false),
        Some(Json::Array(all)) => {
            let ours = all.iter().any(|one| one.as_str() == Some(expected.client_id));
            (ours, all.len() > 1)
        }
        _ => (false, false),
    };
    let party = text("azp");
    let is_ours_alone = party.map_or(!others, |party| party == expected.client_id);
    if !is_ours || !is_ours_alone {
        return Err("it is for another audience");
    }
    if time("exp").is_none_or(|until| until + skew <= now) {
        return Err("it has expired");
    }
    if time("nbf").is_some_and(|from| from - skew > now) {
        return Err("it is not valid yet");
    }
    if time("iat").is_none_or(|made| made - skew > now) {
        return Err("it was made in the future");
    }
    // A nonce is compared in constant time: it is a secret of this sign-in.
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(subtle::ConstantTimeEq::ct_eq(nonce.as_bytes(), expected.nonce.as_bytes())) {
        return Err("it is of another sign-in");
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err("it names no subject");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn expected() -> Expected<'static> {
        Expected { issuer: "https://id.example", client_id: "accredit", nonce: "n1", now_s: NOW }
    }

    fn encode(json: &Json) -> String {
        URL_SAFE_NO_PAD.encode(json.to_string())
    }

    fn claims() -> Json {
        json!({
            "iss": "https://id.example", "aud": "accredit", "nonce": "n1", "sub": "1",
            "exp": NOW + 100, "iat": NOW - 1,
        })
    }

    fn pair() -> (Ed25519KeyPair, ProviderKeys) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x});
        (pair, ProviderKeys::from_json(&json!({"keys": [{"kty": "oct"}, key]})).unwrap())
    }

    fn signed(head: &Json, claims: &Json) -> String {
        let text = format!("{}.{}", encode(head), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(pair().0.sign(text.as_bytes()));
        format!("{text}.{signature}")
    }

    #[test]
    fn what_is_not_meant_for_this_sign_in_is_refused() {
        let head = json!({"alg": "EdDSA", "kid": "k1"});
        let verify = |token: &str| verify_id_token(token, &pair().1, expected());
        assert_eq!(verify(&signed(&head, &claims())).unwrap()["sub"], "1");

        for (name, value) in [
            ("iss", json!("https://id.example/")),
            ("aud", json!("another")),
            ("aud", json!(["accredit", "another"])),
            ("aud", json!([])),
            ("azp", json!("another")),
            ("exp", json!(NOW - 61)),
            ("exp", json!(null)),
            ("nbf", json!(NOW + 61)),
            ("iat", json!(NOW + 61)),
            ("nonce", json!("n2")),
            ("nonce", json!(null)),
            ("sub", json!("")),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            assert!(verify(&signed(&head, &claims)).is_err(), "{name} {value}");
        }
        let mut with_party = claims();
        with_party["aud"] = json!(["accredit", "another"]);
        with_party["azp"] = json!("accredit");
        assert!(verify(&signed(&head, &with_party)).is_ok());
    }

    /// A provider without ids of keys changed its key: nobody signed in for an hour, because the token was
    /// refused and the keys were not asked for again.
    #[test]
    fn a_token_without_an_id_of_a_key_may_be_of_a_new_key() {
        let new_pair = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let x = URL_SAFE_NO_PAD.encode(new_pair.public_key());
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x});
        let other_keys = ProviderKeys::from_json(&json!({"keys": [key]})).unwrap();

        let unnamed = signed(&json!({"alg": "EdDSA"}), &claims());
        let unknown = verify_id_token(&unnamed, &other_keys, expected()).unwrap_err();
        assert_eq!(unknown, TokenError::UnknownKey);
        assert!(verify_id_token(&unnamed, &pair().1, expected()).is_ok());

        let named = signed(&json!({"alg": "EdDSA", "kid": "k1"}), &claims());
        let refused = verify_id_token(&named, &other_keys, expected()).unwrap_err();
        assert_eq!(refused, TokenError::Refused("its signature does not match"));
    }

    #[test]
    fn a_token_cannot_choose_how_it_is_verified() {
        let keys = pair().1;
        let good = signed(&json!({"alg": "EdDSA", "kid": "k1"}), &claims());
        for alg in ["none", "None", "HS256", "RS256", "ES256", "RS512", ""] {
            let token = signed(&json!({"alg": alg, "kid": "k1"}), &claims());
            assert!(verify_id_token(&token, &keys, expected()).is_err(), "{alg}");
            let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
            assert!(verify_id_token(&unsigned, &keys, expected()).is_err(), "{alg}");
        }
        let critical = signed(&json!({"alg": "EdDSA", "kid": "k1", "crit": ["x"]}), &claims());
        assert!(verify_id_token(&critical, &keys, expected()).is_err());
        let other = signed(&json!({"alg": "EdDSA", "kid": "k2"}), &claims());
        let unknown = verify_id_token(&other, &keys, expected()).unwrap_err();
        assert_eq!(unknown, TokenError::UnknownKey);

        for place in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify_id_token(&changed, &keys, expected()).is_err(), "{place}");
        }
        for text in ["", ".", "..", "a.b.c", &good[..good.len() - 1]] {
            assert!(verify_id_token(text, &keys, expected()).is_err(), "{text}");
        }
    }
}
