//! Runs one order of a certificate, from the account to the chain.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use tokio::time::error::Elapsed;

use super::challenges::Challenges;
use super::client::AcmeClient;
use super::store::AcmeStore;
use crate::config::Acme;
use crate::tls::error::CertificateError;

/// Maximum time for the authority to check this relay, and then to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_mins(2));

/// Reason why an order failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    #[error("the ACME directory cannot be reached: {0}")]
    Unreached(String),
    #[error("the certificate authority does not answer")]
    Silent,
    #[error("the certificate authority refused: {0}")]
    Refused(String),
    #[error("the certificate authority could not verify {name}: {why}")]
    NotProven { name: String, why: String },
    #[error("the certificate authority offers no tls-alpn-01 challenge for {0}")]
    NoChallenge(String),
    #[error("the order was not completed in time")]
    Late,
    #[error("the new certificate cannot be used: {0}")]
    Unusable(CertificateError),
    #[error("a challenge cannot be answered: {0}")]
    Internal(String),
    #[error("the account cannot be written: {0}")]
    Store(std::io::Error),
}

impl OrderError {
    /// Returns whether the authority neither accepted nor refused the order.
    pub(super) fn is_unreached(&self) -> bool {
        matches!(self, Self::Unreached(_) | Self::Silent)
    }

    /// Returns what the operator can do.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Unreached(_) | Self::Silent => {
                "check acme-directory, acme-ca and this machine's network"
            }
            Self::NotProven { .. } | Self::Late => {
                "check that the name resolves to this machine and that the relay can be reached on \
                 port 443"
            }
            Self::Refused(_) | Self::NoChallenge(_) => "check acme-domain and acme-contact",
            Self::Store(_) => "check the data folder",
            Self::Unusable(_) | Self::Internal(_) => "report this as a bug",
        }
    }
}

impl From<Error> for OrderError {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(problem) => {
                let text = problem.to_string();
                Self::Refused(text.trim_start_matches("API error: ").to_owned())
            }
            Error::Timeout(_) => Self::Late,
            Error::Other(why) if why.is::<Elapsed>() => Self::Silent,
            error => Self::Unreached(podtap_connect::reason::chain(&error)),
        }
    }
}

/// Returns the private key and the chain of a new certificate as PEM.
pub(super) async fn order(
    acme: &Acme,
    client: &AcmeClient,
    store: &AcmeStore,
    challenges: &Challenges,
) -> Result<String, OrderError> {
    let account = account(acme, client, store).await?;
    let names: Vec<Identifier> = { acme.domains.iter() }
        .map(|domain| Identifier::Dns(domain.clone()))
        .collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    prove(&mut order, challenges).await?;
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Invalid) => {
            let invalid = || OrderError::Refused("the order is invalid".to_owned());
            return Err(not_proven(&mut order).await?.unwrap_or_else(invalid));
        }
        // The order only says that a name failed; the authorization says which one and why.
        Err(error @ Error::Api(_)) => {
            let not_proven = not_proven(&mut order).await?;
            return Err(not_proven.unwrap_or_else(|| error.into()));
        }
        ready => ready?,
    };
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(format!("{key}\n{chain}"))
}

/// Returns the account in the data folder, which is created at the first order.
async fn account(
    acme: &Acme,
    client: &AcmeClient,
    store: &AcmeStore,
) -> Result<Account, OrderError> {
    let builder = || Account::builder_with_http(Box::new(client.clone()));
    let directory = acme.directory.as_str();
    if let Some(credentials) = store.account(directory) {
        return Ok(builder().from_credentials(credentials).await?);
    }
    let contacts: Vec<String> = { acme.contacts.iter() }
        .map(|address| format!("mailto:{address}"))
        .collect();
    let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contacts,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder()
        .create(&wanted, directory.to_owned(), None)
        .await?;
    store
        .keep_account(directory, &credentials)
        .map_err(OrderError::Store)?;
    Ok(account)
}

/// Offers the proof for each name and asks the authority to check it.
async fn prove(order: &mut Order, challenges: &Challenges) -> Result<(), OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(OrderError::NoChallenge(name));
        };
        let digest = challenge.key_authorization().digest();
        let digest = <[u8; 32]>::try_from(digest.as_ref());
        let digest = digest.map_err(|error| OrderError::Internal(error.to_string()))?;
        challenges
            .show(&name, &digest)
            .map_err(OrderError::Internal)?;
        challenge.set_ready().await?;
    }
    Ok(())
}

/// Returns the authority's error for the first name that it could not verify, if there is one.
async fn not_proven(order: &mut Order) -> Result<Option<OrderError>, OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        let problem = state.challenges.iter().find_map(|one| one.error.as_ref());
        if let Some(problem) = problem {
            let why = problem.detail.clone().unwrap_or_default();
            let name = state.identifier().to_string();
            return Ok(Some(OrderError::NotProven { name, why }));
        }
    }
    Ok(None)
}
