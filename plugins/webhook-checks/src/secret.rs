//! Secrets that a request carries as they are: keys, tokens, user names with passwords.

use accredit_seams::connector::{RejectedDelivery, SentHeaders, optional_header, required_header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Characters of a secret that is accepted: fewer could be guessed.
pub const SECRET_CHARACTERS_MIN: usize = 16;

/// Whether a secret is long enough and has no characters that a header or a URL could change.
///
/// # Errors
/// Why it cannot be used.
pub fn check_token(secret: &str) -> Result<(), RejectedDelivery> {
    if secret.chars().count() < SECRET_CHARACTERS_MIN {
        return Err(RejectedDelivery(
            "a secret has fewer than 16 characters, so it could be guessed",
        ));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(RejectedDelivery("a secret has characters that are not visible ASCII"));
    }
    Ok(())
}

/// Whether a secret is `user:password` with a password that is long enough.
///
/// # Errors
/// Why it cannot be used.
pub fn check_user_password(secret: &str) -> Result<(), RejectedDelivery> {
    let Some((user, password)) = secret.split_once(':') else {
        return Err(RejectedDelivery("a secret is not `user:password`"));
    };
    if user.is_empty() {
        return Err(RejectedDelivery("a secret is not `user:password`"));
    }
    check_token(password)
}

/// Which of the secrets `sent` is, compared in constant time.
///
/// # Errors
/// When it is none of them.
pub fn matching_secret(sent: &[u8], secrets: &[&str]) -> Result<usize, RejectedDelivery> {
    // Hashes have one length: how long a comparison takes says nothing about the length of a secret.
    let sent = Sha256::digest(sent);
    let mut found = None;
    for (index, secret) in secrets.iter().enumerate() {
        let same: bool = sent.ct_eq(&Sha256::digest(secret.as_bytes())).into();
        if same && !secret.is_empty() {
            found = Some(index);
        }
    }
    found.ok_or(RejectedDelivery("the secret matches none"))
}

/// Which of the secrets, each `user:password`, the header `Authorization: Basic` holds.
///
/// # Errors
/// When there is no such header, or it holds none of them.
pub fn verify_basic(
    headers: &SentHeaders<'_>,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let sent = authorization(headers, "basic")?;
    let sent = STANDARD.decode(sent).map_err(|_| RejectedDelivery("the password is not base64"))?;
    matching_secret(&sent, secrets)
}

/// Which of the secrets the header `Authorization: Bearer` holds.
///
/// # Errors
/// When there is no such header, or it holds none of them.
pub fn verify_bearer(
    headers: &SentHeaders<'_>,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    matching_secret(authorization(headers, "bearer")?.as_bytes(), secrets)
}

/// What follows a scheme in the header `Authorization`.
fn authorization<'a>(headers: &SentHeaders<'a>, scheme: &str) -> Result<&'a str, RejectedDelivery> {
    let value = required_header(headers, "authorization")?;
    let (sent_scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !sent_scheme.eq_ignore_ascii_case(scheme) {
        return Err(RejectedDelivery("the authorization has another scheme"));
    }
    Ok(rest)
}

/// Which of the secrets a header of another name holds.
///
/// # Errors
/// When there is no such header, or it holds none of them.
pub fn verify_header(
    headers: &SentHeaders<'_>,
    name: &str,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let sent = optional_header(headers, name)?.ok_or(RejectedDelivery("a header is missing"))?;
    matching_secret(sent.as_bytes(), secrets)
}

/// Which of the secrets the parameter `name` of a query holds.
///
/// # Errors
/// When it is missing, comes twice or holds none of them.
pub fn verify_query(query: &str, name: &str, secrets: &[&str]) -> Result<usize, RejectedDelivery> {
    let mut values = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then_some(value)
    });
    let (Some(sent), None) = (values.next(), values.next()) else {
        return Err(RejectedDelivery("the key in the URL is missing or comes twice"));
    };
    matching_secret(&percent_decoded(sent)?, secrets)
}

/// The bytes of a value of a query.
fn percent_decoded(text: &str) -> Result<Vec<u8>, RejectedDelivery> {
    let malformed = RejectedDelivery("the key in the URL has a broken escape");
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || left.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(malformed) };
        bytes.push((high * 16 + low) as u8);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: [&str; 2] = ["user:0123456789abcdef", "user:fedcba9876543210"];

    #[test]
    fn only_a_whole_secret_matches() {
        assert_eq!(matching_secret(SECRETS[1].as_bytes(), &SECRETS), Ok(1));
        for wrong in ["", "user:0123456789abcde", "user:0123456789abcdef0", "USER:0123456789abcdef"]
        {
            assert!(matching_secret(wrong.as_bytes(), &SECRETS).is_err(), "{wrong}");
        }
        assert!(matching_secret(b"", &[""]).is_err(), "an empty secret matches nothing");
    }

    #[test]
    fn an_authorization_has_its_scheme_once() {
        let basic = format!("Basic {}", STANDARD.encode(SECRETS[0]));
        let headers = |value: &'static str| vec![("authorization", value.as_bytes())];
        assert_eq!(verify_basic(&[("Authorization", basic.as_bytes())], &SECRETS), Ok(0));
        let twice = [("authorization", basic.as_bytes()), ("authorization", basic.as_bytes())];
        assert!(verify_basic(&twice, &SECRETS).is_err());
        for wrong in ["Basic", "Basic !", "Bearer user:0123456789abcdef", ""] {
            assert!(verify_basic(&headers(wrong), &SECRETS).is_err(), "{wrong}");
        }
        assert_eq!(verify_bearer(&headers("bearer user:0123456789abcdef"), &SECRETS), Ok(0));
    }

    #[test]
    fn a_key_in_the_url_comes_once() {
        assert_eq!(verify_query("a=1&code=user%3A0123456789abcdef", "code", &SECRETS), Ok(0));
        for wrong in [
            "",
            "code=",
            "code=user%3A0123456789abcdef&code=user%3A0123456789abcdef",
            "code=user%3",
            "code=user%zz0123456789abcdef",
            "Code=user%3A0123456789abcdef",
        ] {
            assert!(verify_query(wrong, "code", &SECRETS).is_err(), "{wrong}");
        }
    }

    #[test]
    fn short_secrets_are_refused() {
        assert!(check_token("0123456789abcdef").is_ok() && check_token("0123456789abcde").is_err());
        assert!(check_token("0123456789abcdef ").is_err());
        assert!(check_user_password(SECRETS[0]).is_ok());
        for wrong in ["0123456789abcdef", ":0123456789abcdef", "user:short"] {
            assert!(check_user_password(wrong).is_err(), "{wrong}");
        }
    }
}
