//! The API of a CRM, as a source may ask it: the right host, a token that is valid, one request.
//!
//! Not what is asked (connectors make requests) and not when (the `fetcher`, or a person who compares
//! lists). Nothing here knows the inbox.
//!
//! **Architecture invariant:** a token, a client's secret and a refresh token leave the machine only over
//! TLS and only to hosts of the connector, or to those that an administrator named. They are in no log, no
//! message and no file.

mod hosts;
mod request;
mod tokens;

use accredit_seams::connector::{Connector, FetchRequest, SourceSettings};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use self::request::FetchFailure;
use self::request::{CrmAnswer, failure_of};
use self::tokens::ApiTokens;
use crate::server::credentials::Credentials;
use crate::server::credentials::api_access::{ApiAccess, ApiClient};

/// The status by which a CRM says that it found nothing.
const NOTHING_FOUND: u16 = 204;

/// What sends requests to CRMs, with the tokens that it has renewed.
pub(crate) struct CrmApi {
    agent: ureq::Agent,
    tokens: ApiTokens,
}

/// The source in whose name the API is asked.
#[derive(Clone, Copy)]
pub(crate) struct ApiSource<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its connector.
    pub(crate) connector: &'a dyn Connector,
    /// Its settings.
    pub(crate) settings: &'a SourceSettings,
}

impl Default for CrmApi {
    fn default() -> Self {
        CrmApi { agent: request::new_agent(), tokens: ApiTokens::default() }
    }
}

impl CrmApi {
    /// Sends a request with the token of its source; the body of the answer.
    ///
    /// # Errors
    /// Why there is none, and whether that may change.
    pub(crate) fn send(
        &self,
        credentials: &Credentials,
        source: ApiSource<'_>,
        needed: &FetchRequest,
    ) -> Result<String, FetchFailure> {
        let found = self.search(credentials, source, needed)?;
        found.ok_or_else(|| failure_of(NOTHING_FOUND, None))
    }

    /// The same, where a CRM may find nothing: then there is no body. A token that the CRM does not take any
    /// more is renewed once.
    ///
    /// # Errors
    /// Why there is no answer, and whether that may change.
    pub(crate) fn search(
        &self,
        credentials: &Credentials,
        source: ApiSource<'_>,
        needed: &FetchRequest,
    ) -> Result<Option<String>, FetchFailure> {
        hosts::check_target(&needed.url, source, credentials)?;
        let access = credentials.api.access_of(source.name).map_err(FetchFailure::NotReady)?;

        let answer = match access {
            ApiAccess::Token(token) => request::send(&self.agent, needed, &token)?,
            ApiAccess::Client(client) => {
                let token = self.token(credentials, source, &client, None)?;
                let answer = request::send(&self.agent, needed, &token)?;
                match answer {
                    CrmAnswer::Refused { status: 401, .. } => {
                        let token = self.token(credentials, source, &client, Some(&token))?;
                        request::send(&self.agent, needed, &token)?
                    }
                    answer => answer,
                }
            }
        };

        match answer {
            CrmAnswer::Body(body) => Ok(Some(body)),
            CrmAnswer::Refused { status: NOTHING_FOUND, .. } => Ok(None),
            CrmAnswer::Refused { status, retry_after } => {
                Err(failure_of(status, retry_after.as_deref()))
            }
        }
    }

    /// A token of a client; another one than `refused`.
    fn token(
        &self,
        credentials: &Credentials,
        source: ApiSource<'_>,
        client: &ApiClient,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, FetchFailure> {
        let Some(endpoint) = source.connector.token_endpoint(source.settings) else {
            let reason = format!(
                "the connector `{}` cannot renew tokens with these settings: set `token_url`, or a \
                 token that does not expire",
                source.connector.name()
            );
            return Err(FetchFailure::NotReady(reason));
        };
        hosts::check_target(&endpoint.url, source, credentials)?;
        let refused = refused.map(ExposeSecret::expose_secret);
        self.tokens.token_of(&self.agent, source.name, (&endpoint, client), refused)
    }
}
