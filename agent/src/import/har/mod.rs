//! An HTTP Archive, of ours or of a browser or proxy, read an entry at a time.
//!
//! Of an entry that is ours `_podtap` tells what HAR has no place for. Any other gets an id made of
//! its time and its request, so that a second import finds it again, and its response becomes the
//! one attempt.

mod entry;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::batch::Batches;
use super::check::Wrong;
use super::{MAX_PIECE_BYTES, Problem};
use crate::export::har::Entry;

/// Reads every entry up to the first that is wrong.
pub(super) fn read(source: impl BufRead, batches: &mut Batches) -> Result<(), Problem> {
    let left = Rc::new(Cell::new(MAX_PIECE_BYTES));
    let metered = Metered {
        source,
        left: Rc::clone(&left),
    };
    let mut entries = Entries {
        batches,
        left,
        count: 0,
        ended: None,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(metered);
    let read = Seed::Archive(&mut entries).deserialize(&mut deserializer);
    let read = read.and_then(|()| deserializer.end());
    let (ended, entry) = (entries.ended, entries.count + 1);
    match (ended, read) {
        (Some(Ended::Unwanted), _) | (None, Ok(())) => Ok(()),
        (Some(Ended::Wrong(wrong)), _) => Err(Problem::Entry {
            entry: entry - 1,
            wrong,
        }),
        (None, Err(error)) if error.is_io() => match entries.left.get() {
            0 => Err(Problem::Entry {
                entry,
                wrong: Wrong::TooLarge,
            }),
            _ => Err(Problem::Read(error.into())),
        },
        (None, Err(error)) => Err(Problem::Entry {
            entry,
            wrong: Wrong::Json(error.to_string()),
        }),
    }
}

/// A source of which so much may be read until the next entry has ended.
struct Metered<R> {
    source: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other("larger than any event"));
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self
            .source
            .read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - count as u64);
        Ok(count)
    }
}

/// Where entries go as they are read.
struct Entries<'a> {
    batches: &'a mut Batches,
    left: Rc<Cell<u64>>,
    count: u64,
    ended: Option<Ended>,
}

/// Why no further entry is read.
enum Ended {
    Unwanted,
    Wrong(Wrong),
}

impl Entries<'_> {
    /// Takes one in; whether there shall be more.
    fn take(&mut self, entry: Entry<'_>) -> bool {
        self.count += 1;
        self.left.set(MAX_PIECE_BYTES);
        self.ended = match entry::past(entry) {
            Err(wrong) => Some(Ended::Wrong(wrong)),
            Ok(past) => self.batches.add(past).err().map(|_| Ended::Unwanted),
        };
        self.ended.is_none()
    }
}

/// The archive, `{"log":{"entries":[…]}}`, from this depth on.
enum Seed<'a, 'b> {
    Archive(&'a mut Entries<'b>),
    Log(&'a mut Entries<'b>),
    List(&'a mut Entries<'b>),
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self {
            Self::List(_) => from.deserialize_seq(self),
            Self::Archive(_) | Self::Log(_) => from.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an HTTP archive")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match (&mut self, &*key) {
                (Self::Archive(entries), "log") => map.next_value_seed(Seed::Log(entries))?,
                (Self::Log(entries), "entries") => map.next_value_seed(Seed::List(entries))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (Self::Archive(entries) | Self::Log(entries) | Self::List(entries)) = self;
        while let Some(entry) = list.next_element::<Entry<'static>>()? {
            if !entries.take(entry) {
                return Err(A::Error::custom("ended"));
            }
        }
        Ok(())
    }
}
