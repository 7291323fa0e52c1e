//! Damage to texts that are right, for the fuzz targets. Each target stands beside its parser, in a file `fuzz.rs`.
//!
//! They are ordinary tests with a bound; `cargo bolero test` runs the same targets without one, under libFuzzer.

use std::time::Duration;

use bolero::TypeGenerator;

/// How many inputs a target gets in a test.
pub const INPUTS: usize = 100_000;

/// How long a target may take in a test, on a slow machine too: all of them take less than half a minute.
pub const AT_MOST: Duration = Duration::from_secs(2);

/// Damage to a text that is right: what a fuzzer would take days to build byte by byte is there from the start.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Damage {
    seed: u8,
    blows: [Blow; 4],
    /// How many of the blows fall; a text with many of them is refused by its first bytes.
    count: u8,
    /// Below [`CUTS`] it ends at this place.
    cut: (u8, u16),
}

/// One text of eight is cut.
const CUTS: u8 = 32;

#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Blow {
    /// Another byte in the place of one.
    Replace(u16, u8),
    /// One byte more.
    Insert(u16, u8),
    /// Some bytes less.
    Remove(u16, u8),
    /// A piece of it once more, elsewhere.
    Repeat(u16, u16, u8),
}

impl Damage {
    /// Damages one of the seeds.
    pub fn to(&self, seeds: &[&[u8]]) -> Vec<u8> {
        let mut text = seeds[usize::from(self.seed) % seeds.len()].to_vec();
        for blow in &self.blows[..usize::from(self.count) % (self.blows.len() + 1)] {
            blow.fall(&mut text);
        }
        if self.cut.0 < CUTS {
            text.truncate(usize::from(self.cut.1) % (text.len() + 1));
        }
        text
    }
}

impl Blow {
    fn fall(self, text: &mut Vec<u8>) {
        let place = |place: u16| usize::from(place) % (text.len() + 1);
        let piece = |from: u16, length: u8| place(from)..(place(from) + usize::from(length)).min(text.len());
        match self {
            Self::Replace(at, byte) => {
                let at = place(at);
                if let Some(found) = text.get_mut(at) {
                    *found = byte;
                }
            }
            Self::Insert(at, byte) => text.insert(place(at), byte),
            Self::Remove(from, length) => drop(text.drain(piece(from, length))),
            Self::Repeat(from, to, length) => {
                let (again, to) = (text[piece(from, length)].to_vec(), place(to));
                text.splice(to..to, again);
            }
        }
    }
}

/// How many lines there are at most, the last one counted without its end too.
pub fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count()
}
