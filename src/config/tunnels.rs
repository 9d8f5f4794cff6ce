//! Reads the configuration's `[[tunnel]]` tables.
//! Each names a tunnel and has settings for it alone.

use podtap_wire::TunnelName;

use super::file::{Table, setting};
use super::key::{Key, nearest};
use super::merge::{Layer, ValueOrigin};
use super::settings::Settings;
use crate::failure::{Code, Failure};

/// Maximum number of tunnels per process: each has its own link, history and lanes.
pub(super) const MAX_TUNNELS: usize = 16;

/// The settings that a table may have.
const KEYS: [Key; 32] = [
    Key::ALLOW_PLAINTEXT_RELAY,
    Key::BREAK_LOOPS,
    Key::CA_FILE,
    Key::CONCURRENCY,
    Key::EXEC,
    Key::FORWARD_TO,
    Key::FORWARD_VERIFY,
    Key::HOST_HEADER,
    Key::INSECURE_LOCAL,
    Key::KEEP_AGE,
    Key::KEEP_EVENTS,
    Key::LISTEN,
    Key::NAME,
    Key::PODIO_APP_ID,
    Key::PODIO_APP_TOKEN,
    Key::PODIO_APP_TOKEN_FILE,
    Key::PODIO_CLIENT_ID,
    Key::PODIO_CLIENT_SECRET,
    Key::PODIO_CLIENT_SECRET_FILE,
    Key::PODIO_PASSWORD,
    Key::PODIO_PASSWORD_FILE,
    Key::PODIO_URL,
    Key::PODIO_USERNAME,
    Key::PRESERVE_HOST,
    Key::PUBLIC_URL,
    Key::RELAY,
    Key::RESPOND,
    Key::ROUTE,
    Key::TIMEOUT,
    Key::TOKEN,
    Key::TOKEN_FILE,
    Key::WINDOW,
];

#[derive(Debug)]
pub(super) struct TunnelTable {
    pub(super) name: TunnelName,
    pub(super) settings: Layer,
}

/// Parses the tables, in the order of the file.
pub(super) fn read(table: &Table) -> Result<Vec<TunnelTable>, Failure> {
    let file = || table.path.display().to_string();
    let tables = match &table.value {
        None => return Ok(Vec::new()),
        Some(toml::Value::Array(tables)) => tables,
        Some(other) => {
            let found = other.type_str();
            let what = format!("`tunnel` is a list of tables, not a TOML {found}");
            let failure = Failure::usage(what).fact("file", file());
            return Err(failure.hint("write [[tunnel]], once for each tunnel"));
        }
    };
    if tables.len() > MAX_TUNNELS {
        let what = format!("the configuration file has more than {MAX_TUNNELS} [[tunnel]] tables");
        return Err(Failure::usage(what)
            .fact("file", file())
            .hint("run the others with another file: podtap up --config FILE"));
    }
    let mut read: Vec<TunnelTable> = Vec::new();
    for (number, one) in (1_u32..).zip(tables) {
        let new = read_one(table, number, one)?;
        if read.iter().any(|other| other.name == new.name) {
            let what = format!("two [[tunnel]] tables are called `{}`", new.name);
            return Err(Failure::usage(what)
                .fact("file", file())
                .hint("give each tunnel another name: a name has one history and one URL"));
        }
        read.push(new);
    }
    Ok(read)
}

fn read_one(table: &Table, number: u32, one: &toml::Value) -> Result<TunnelTable, Failure> {
    let refused = |what: String| {
        let place = format!("[[tunnel]] number {number}");
        let failure = Failure::usage(what).fact("file", table.path.display().to_string());
        failure.fact("table", place)
    };
    let toml::Value::Table(entries) = one else {
        let found = one.type_str();
        return Err(refused(format!("a tunnel is a table, not a TOML {found}"))
            .hint("write [[tunnel]], once for each tunnel"));
    };
    let text = entries.get("name").and_then(toml::Value::as_str);
    let text = text.ok_or_else(|| {
        refused("a [[tunnel]] table has no name".to_owned()).hint("add name = \"crm\"")
    })?;
    let name: TunnelName = text.parse().map_err(|error: podtap_wire::InvalidId| {
        refused(format!("name cannot be `{text}`")).fact("why", error.to_string())
    })?;
    let mut settings = Layer::new();
    for (key, value) in entries {
        let known = KEYS.iter().find(|known| known.name() == key);
        let Some(known) = known else {
            let failure = if Key::find(key).is_some() {
                return Err(
                    refused(format!("`{key}` is not a setting of a single tunnel"))
                        .hint("put it above the [[tunnel]] tables"),
                );
            } else {
                refused(format!("a [[tunnel]] table has an unknown key `{key}`"))
            };
            let names = KEYS.iter().map(|key| key.name());
            return Err(match nearest(key, names) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("a table has the settings of `podtap listen`"),
            });
        };
        let (_, (text, _)) = setting(&table.path, known.name(), value.clone())?;
        let origin = ValueOrigin::Tunnel(table.path.clone(), name.to_string());
        settings.insert(*known, (text, origin));
    }
    Ok(TunnelTable { name, settings })
}

impl Settings {
    /// Returns the tunnels of the configuration file. The settings in a
    /// tunnel's table override the others, including environment variables.
    pub(crate) fn tunnels_of_file(&self) -> Result<Vec<Self>, Failure> {
        let tables = read(&self.tables.tunnels)?;
        let tunnels = tables.into_iter();
        Ok(tunnels
            .map(|table| self.of_tunnel(table.settings))
            .collect())
    }

    /// Adds the settings of the table whose name was typed, if there is
    /// one. Errors in the tables are reported by `up` and `config check`.
    #[must_use]
    pub(super) fn of_typed_tunnel(self) -> Self {
        if !self.is_typed(Key::NAME) {
            return self;
        }
        let tables = read(&self.tables.tunnels).unwrap_or_default();
        let name = self.text(Key::NAME);
        let mut tables = tables.into_iter();
        match tables.find(|table| Some(table.name.as_str()) == name) {
            Some(table) => self.of_tunnel(table.settings),
            None => self,
        }
    }

    /// Returns whether the value comes from the tunnel's table.
    pub(super) fn is_of_tunnel(&self, key: Key) -> bool {
        let origin = self.entry(key).map(|(_, origin)| origin);
        matches!(origin, Some(ValueOrigin::Tunnel(..)))
    }

    /// Returns the errors in the tables.
    pub(super) fn check_tunnels(&self) -> Vec<Failure> {
        let tunnels = match self.tunnels_of_file() {
            Ok(tunnels) => tunnels,
            Err(failure) => return vec![failure.code(Code::Usage)],
        };
        let check = |tunnel: &Self| -> Vec<Failure> {
            let own = KEYS.iter().filter(|key| tunnel.is_of_tunnel(**key));
            let mut wrong: Vec<_> = own.filter_map(|key| tunnel.check_one(*key).err()).collect();
            if wrong.is_empty() {
                wrong.extend(tunnel.target().err());
            }
            wrong
        };
        tunnels.iter().flat_map(check).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::config::file::parse_settings;
    use crate::config::merge::Layers;
    use crate::config::settings::Tables;

    fn settings(text: &str, env: &[(Key, &str)], flags: &[(Key, &str)]) -> Settings {
        let file = parse_settings(text);
        let layer = |pairs: &[(Key, &str)], origin: fn(Key) -> ValueOrigin| -> Layer {
            let entry = |(key, text): &(Key, &str)| (*key, ((*text).to_owned(), origin(*key)));
            pairs.iter().map(entry).collect()
        };
        let layers = Layers {
            flags: layer(flags, |key| ValueOrigin::Flag(key.name())),
            tunnel: Layer::new(),
            env: layer(env, |key| ValueOrigin::Variable(key.variable())),
            file: file.settings,
        };
        let tables = Tables {
            keys: file.keys,
            filters: file.filters,
            tunnels: file.tunnels,
        };
        Settings::new(layers, tables, Environment::default(), 0)
    }

    const TWO: &str = "
        window = 9
        forward-to = '1000'
        [[tunnel]]
        name = 'crm'
        forward-to = '3000'
        [[tunnel]]
        name = 'shop'
        exec = './shop.sh'
        window = 7
        route = ['type:task.*=3001']";

    #[test]
    fn a_table_counts_before_the_variables_and_the_rest_of_the_file() {
        let env = [(Key::FORWARD_TO, "2000"), (Key::NAME, "other")];
        let tunnels = settings(TWO, &env, &[]).tunnels_of_file().unwrap();
        let told = |of: &Settings| {
            (
                of.tunnel().unwrap().to_string(),
                of.target().unwrap().unwrap().to_string(),
                of.number::<u32>(Key::WINDOW).unwrap(),
                of.routes().unwrap().len(),
            )
        };
        let told: Vec<_> = tunnels.iter().map(told).collect();
        let port = "http://localhost:3000".to_owned();
        assert_eq!(told[0], ("crm".to_owned(), port, Some(9), 0));
        let command = "exec:./shop.sh".to_owned();
        assert_eq!(told[1], ("shop".to_owned(), command, Some(7), 1));
        assert!(settings("", &[], &[]).tunnels_of_file().unwrap().is_empty());
    }

    #[test]
    fn the_name_that_is_typed_chooses_its_table() {
        let of = |name| {
            let set = settings(TWO, &[], &[(Key::NAME, name)]).of_typed_tunnel();
            set.target().unwrap().unwrap().to_string()
        };
        assert_eq!(of("crm"), "http://localhost:3000");
        assert_eq!(of("other"), "http://localhost:1000");
        let typed = [(Key::NAME, "crm"), (Key::FORWARD_TO, "4000")];
        let set = settings(TWO, &[], &typed).of_typed_tunnel();
        let target = set.target().unwrap().unwrap().to_string();
        assert_eq!(target, "http://localhost:4000");
    }

    #[test]
    fn what_cannot_be_is_told_with_its_table() {
        let tables = (0..=MAX_TUNNELS).map(|number| format!("[[tunnel]]\nname = 't{number}'"));
        let many = tables.collect::<Vec<_>>().join("\n");
        for (text, told) in [
            ("[tunnel]\nname = 'crm'", ["list of tables", "[[tunnel]]"]),
            ("tunnel = ['crm']", ["a tunnel is a table", "number 1"]),
            ("[[tunnel]]\nforward-to = '1'", ["no name", "number 1"]),
            ("[[tunnel]]\nname = 'A B'", ["name cannot be", "number 1"]),
            (
                "[[tunnel]]\nname = 'a'\n[[tunnel]]\nname = 'a'",
                ["two [[tunnel]] tables", "`a`"],
            ),
            (
                "[[tunnel]]\nname = 'a'\nforwart-to = '1'",
                ["`forwart-to`", "did you mean `forward-to`?"],
            ),
            (
                "[[tunnel]]\nname = 'a'\ntheme = 'dark'",
                ["`theme` is not a setting of a single tunnel", "above"],
            ),
            (
                "[[tunnel]]\nname = 'a'\nwindow = 'x'",
                ["window cannot be `x`", "tunnel a"],
            ),
            (
                "[[tunnel]]\nname = 'a'\nexec = 'x'\nforward-to = '1'",
                ["both set", "remove one"],
            ),
            (&many, ["more than 16", "c.toml"]),
        ] {
            let wrong = settings(text, &[], &[]).check();
            let [wrong] = wrong.as_slice() else {
                panic!("{text}: {wrong:?}");
            };
            let wrong = wrong.to_string();
            for told in told {
                assert!(wrong.contains(told), "{text}: {wrong}");
            }
        }
    }
}
