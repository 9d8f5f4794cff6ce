//! The settings of a relay's limits and of the proxies that it trusts.

use std::str::FromStr;

use podtap_relay::{IpNet, Limits, Rate};

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;
use crate::parse;

impl Settings {
    /// Returns the limits of a relay, with defaults for those that are not set.
    pub(crate) fn relay_limits(&self) -> Result<Limits, Failure> {
        let standard = Limits::default();
        Ok(Limits {
            max_body_bytes: self.bytes(Key::MAX_BODY, standard.max_body_bytes)?,
            max_queue_events: self
                .number(Key::MAX_QUEUE_EVENTS)?
                .unwrap_or(standard.max_queue_events),
            max_queue_bytes: self
                .size(Key::MAX_QUEUE_BYTES)?
                .unwrap_or(standard.max_queue_bytes),
            max_age: self.duration(Key::MAX_AGE)?.unwrap_or(standard.max_age),
            max_rate: self.rate(Key::MAX_RATE, standard.max_rate)?,
            max_rate_per_peer: self.rate(Key::MAX_RATE_PER_ADDRESS, standard.max_rate_per_peer)?,
            max_inflight_bytes: self.bytes(Key::MAX_BODY_MEMORY, standard.max_inflight_bytes)?,
            min_body_rate: self.body_rate(standard.min_body_rate)?,
            max_head_bytes: self.bytes(Key::MAX_HEAD, standard.max_head_bytes)?,
            max_head_memory: self.bytes(Key::MAX_HEAD_MEMORY, standard.max_head_memory)?,
            head_timeout: self
                .duration(Key::HEAD_TIMEOUT)?
                .unwrap_or(standard.head_timeout),
            body_timeout: self
                .duration(Key::BODY_TIMEOUT)?
                .unwrap_or(standard.body_timeout),
            idle_timeout: self
                .duration(Key::IDLE_TIMEOUT)?
                .unwrap_or(standard.idle_timeout),
            max_connections: self
                .number(Key::MAX_CONNECTIONS)?
                .unwrap_or(standard.max_connections),
            max_connections_per_peer: self.number(Key::MAX_CONNECTIONS_PER_ADDRESS)?,
            max_sessions: self
                .number(Key::MAX_SESSIONS)?
                .unwrap_or(standard.max_sessions),
            max_response_bytes: self.bytes(Key::MAX_RESPONSE, standard.max_response_bytes)?,
            max_owner_tunnels: self
                .number(Key::MAX_OWNER_TUNNELS)?
                .unwrap_or(standard.max_owner_tunnels),
            max_owner_sessions: self
                .number(Key::MAX_OWNER_SESSIONS)?
                .unwrap_or(standard.max_owner_sessions),
            max_owner_queue_events: self
                .number(Key::MAX_OWNER_QUEUE_EVENTS)?
                .unwrap_or(standard.max_owner_queue_events),
            max_owner_queue_bytes: self
                .size(Key::MAX_OWNER_QUEUE_BYTES)?
                .unwrap_or(standard.max_owner_queue_bytes),
            max_total_queue_bytes: self
                .size_or_off(Key::MAX_TOTAL_QUEUE_BYTES, standard.max_total_queue_bytes)?,
            max_session_memory: self.bytes(Key::MAX_SESSION_MEMORY, standard.max_session_memory)?,
            respond_timeout: self
                .duration(Key::RESPOND_TIMEOUT)?
                .unwrap_or(standard.respond_timeout),
            ..standard
        })
    }

    /// Returns the proxies that are trusted to report the sender's address, if that is set.
    pub(crate) fn trusted_proxies(&self) -> Result<Option<Vec<IpNet>>, Failure> {
        self.with(Key::TRUSTED_PROXY, |text| {
            if text == OFF {
                return Ok(Vec::new());
            }
            let networks: Option<Vec<IpNet>> = text.split(',').map(network).collect();
            networks.ok_or("addresses or networks such as 10.0.0.0/8 or ::1, or `off`")
        })
    }

    /// Returns whether the trusted proxies send the
    /// PROXY protocol; if so, at least one must be set.
    pub(crate) fn proxy_protocol(&self) -> Result<bool, Failure> {
        let is_on = self.switch(Key::PROXY_PROTOCOL, false)?;
        let has_proxies = self.trusted_proxies()?.is_some_and(|some| !some.is_empty());
        if is_on && !has_proxies {
            return Err(
                Failure::usage("proxy-protocol is on, but no proxy is trusted").hint(
                    "add the load balancer's address or network, such as --trusted-proxy \
                     10.0.0.0/8",
                ),
            );
        }
        Ok(is_on)
    }

    /// Returns the minimum rate at which a body must arrive, in bytes per second.
    fn body_rate(&self, standard: Option<u32>) -> Result<Option<u32>, Failure> {
        let rate = self.size_or_off(Key::MIN_BODY_RATE, standard.map(u64::from))?;
        Ok(rate.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)))
    }

    /// Returns a size, or `off` for no limit.
    pub(super) fn size_or_off(
        &self,
        key: Key,
        standard: Option<u64>,
    ) -> Result<Option<u64>, Failure> {
        let size = self.with(key, |text| {
            if text == OFF {
                return Ok(None);
            }
            parse::size(text).map(Some)
        })?;
        Ok(size.unwrap_or(standard))
    }

    fn bytes(&self, key: Key, standard: usize) -> Result<usize, Failure> {
        let bytes = self.size(key)?;
        Ok(bytes.map_or(standard, |bytes| {
            usize::try_from(bytes).unwrap_or(usize::MAX)
        }))
    }

    /// Returns a rate, or `off` for no limit.
    pub(super) fn rate(&self, key: Key, standard: Option<Rate>) -> Result<Option<Rate>, Failure> {
        let rate = self.with(key, |text| {
            if text == OFF {
                return Ok(None);
            }
            match text.parse() {
                Ok(per_second) if per_second > 0 => Ok(Some(Rate::per_second(per_second))),
                _ => Err("a whole number above 0, or `off`"),
            }
        })?;
        Ok(rate.unwrap_or(standard))
    }
}

/// The text for no limit, or for an empty list.
const OFF: &str = "off";

/// Parses a network, or a single address as a network.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let single = || Some(IpNet::from(std::net::IpAddr::from_str(text).ok()?));
    text.parse().ok().or_else(single)
}

#[cfg(test)]
mod tests {
    use super::super::settings::settings;
    use super::*;

    #[test]
    fn proxies_are_networks_or_addresses() {
        let set = |text| settings(&[(Key::TRUSTED_PROXY, text)], &[]).trusted_proxies();
        let networks = set("10.0.0.0/8, ::1,192.0.2.1").unwrap().unwrap();
        let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "::1/128", "192.0.2.1/32"]);
        assert_eq!(set("off").unwrap(), Some(Vec::new()));
        for bad in ["", "10.0.0.0/33", "10.0.0.1,", "proxy.example.com"] {
            let error = set(bad).unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8"), "{error}");
        }
        assert_eq!(settings(&[], &[]).trusted_proxies().unwrap(), None);
    }

    #[test]
    fn the_proxy_protocol_needs_a_proxy() {
        let on = (Key::PROXY_PROTOCOL, "true");
        let set = |more: &[_]| settings(&[&[on], more].concat(), &[]).proxy_protocol();
        assert!(set(&[(Key::TRUSTED_PROXY, "10.0.0.1")]).unwrap());
        for none in [&[][..], &[(Key::TRUSTED_PROXY, "off")]] {
            let error = set(none).unwrap_err().to_string();
            assert!(error.contains("--trusted-proxy 10.0.0.0/8"), "{error}");
        }
        assert!(!settings(&[], &[]).proxy_protocol().unwrap());
    }

    #[test]
    fn a_rate_may_be_off() {
        let rate = |text| settings(&[(Key::MAX_RATE, text)], &[]).relay_limits();
        assert_eq!(rate("off").unwrap().max_rate, None);
        assert_eq!(rate("5").unwrap().max_rate, Some(Rate::per_second(5)));
        assert!(rate("0").is_err() && rate("-1").is_err() && rate("fast").is_err());
    }

    #[test]
    fn a_size_may_be_off() {
        let limits = |key, text| settings(&[(key, text)], &[]).relay_limits();
        let total = |text| limits(Key::MAX_TOTAL_QUEUE_BYTES, text);
        assert_eq!(total("off").unwrap().max_total_queue_bytes, None);
        assert_eq!(total("2KiB").unwrap().max_total_queue_bytes, Some(2048));
        assert!(total("much").is_err());
        let rate = limits(Key::MIN_BODY_RATE, "off").unwrap();
        assert_eq!(rate.min_body_rate, None);
    }
}
