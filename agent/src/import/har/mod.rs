//! Reads an HTTP Archive, of Podtap or of a browser or proxy, one entry at a time.
//!
//! An entry of Podtap has the field `_podtap` with what HAR has no field for. Any other entry gets
//! an id derived from its time and its request, so that a second import recognizes it, and its
//! response becomes the only attempt.

mod entry;
mod record;

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::Problem;
use super::batch::{ArchivePlace, Batches};
use super::check::UnusableEntry;
use crate::history::ImportedRecord;
use record::{EntryText, RecordingReader};

/// Reads every entry; reports the ones that cannot be used.
pub(super) fn read(source: impl BufRead, batches: &mut Batches) -> Result<(), Problem> {
    let record = EntryText::default();
    let mut entries = Entries {
        batches,
        record: record.clone(),
        count: 0,
        is_unwanted: false,
    };
    let mut deserializer =
        serde_json::Deserializer::from_reader(RecordingReader::new(source, record));
    let read = EntriesSeed::Archive(&mut entries).deserialize(&mut deserializer);
    let read = read.and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(()),
        Err(_) if entries.is_unwanted => Ok(()),
        Err(error) if error.is_io() => Err(Problem::Read(error.into())),
        Err(error) => Err(Problem::BrokenOff {
            entries: entries.count,
            what: error.to_string(),
        }),
    }
}

/// Collects entries as they are read.
struct Entries<'a> {
    batches: &'a mut Batches,
    record: EntryText,
    count: u64,
    is_unwanted: bool,
}

impl Entries<'_> {
    /// Adds the entry that was just read; returns whether more are wanted.
    fn take(&mut self) -> bool {
        self.count += 1;
        let text = self.record.take().ok_or(UnusableEntry::TooLarge);
        let past = text.and_then(|text| parse(&text));
        let added = self
            .batches
            .add(ArchivePlace::Entry(self.count), past.map(Some));
        self.is_unwanted = added.is_err();
        !self.is_unwanted
    }
}

fn parse(text: &[u8]) -> Result<ImportedRecord, UnusableEntry> {
    let text = String::from_utf8_lossy(text);
    let value =
        serde_json::from_str(&text).map_err(|error| UnusableEntry::Json(error.to_string()))?;
    entry::read_entry(value)
}

/// The archive, `{"log":{"entries":[…]}}`, from this
/// depth on. A value of another type contains no entries.
enum EntriesSeed<'a, 'b> {
    Archive(&'a mut Entries<'b>),
    Log(&'a mut Entries<'b>),
    List(&'a mut Entries<'b>),
}

impl<'de> DeserializeSeed<'de> for EntriesSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntriesSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP archive")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match (&mut self, &*key) {
                (Self::Archive(entries), "log") => {
                    map.next_value_seed(EntriesSeed::Log(entries))?;
                }
                (Self::Log(entries), "entries") => {
                    map.next_value_seed(EntriesSeed::List(entries))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self::List(entries) = self else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        entries.record.begin();
        while list.next_element::<IgnoredAny>()?.is_some() {
            if !entries.take() {
                return Err(A::Error::custom("ended"));
            }
        }
        entries.record.end();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
