//! Reads from the settings how events are delivered.

use podtap_agent::config::DeliveryConfig;

use crate::config::{Key, Settings};
use crate::failure::Failure;

/// Returns the configuration of delivery to the local service.
pub(super) fn delivery(settings: &Settings) -> Result<DeliveryConfig, Failure> {
    let mut delivery = DeliveryConfig::default();
    if let Some(concurrency) = settings.number(Key::CONCURRENCY)? {
        delivery.concurrency = concurrency;
    }
    if let Some(timeout) = settings.duration(Key::TIMEOUT)? {
        delivery.timeout = timeout;
    }
    delivery.host = settings.host_header()?;
    delivery.hidden_variables = Key::secret_variables();
    Ok(delivery)
}
