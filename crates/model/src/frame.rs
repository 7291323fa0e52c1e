//! What travels over `/ws`.
//!
//! A binary frame is one byte of version and a [`Frame`] in postcard; `?format=json` gets the same content as text, written by the server.

use serde::{Deserialize, Serialize};

use crate::{
    event::Event,
    fleet::{Fleet, FleetDelta},
    topic::{Delta, Sections, TopicId},
};

/// The first byte of every binary frame. It changes with the meaning of any byte after it.
pub const VERSION: u8 = 3;

/// Counts a topic's frames, from its snapshot on, without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The number of the frame after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A topic's short name on one run of the program; its snapshot says whose it is.
pub type Handle = u32;

/// One message to a viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// The first message of every connection.
    Hello {
        /// Names the program and the site inside it: a page of another build reloads itself.
        build: String,
    },
    /// The whole of `fleet`.
    Fleet(Seq, Box<Fleet>),
    /// What changed in `fleet`.
    FleetDelta(Seq, Box<FleetDelta>),
    /// The whole of a topic of rows.
    Proxy(Handle, Seq, TopicId, Sections),
    /// What changed in a topic of rows, in order.
    ProxyDelta(Handle, Seq, Vec<Delta>),
    /// The newest events, oldest first: the whole of `events`.
    Events(Seq, Vec<Event>),
    /// What happened since.
    EventsNew(Seq, Vec<Event>),
    /// The newest events of accounts, oldest first: the whole of `accounts`, again whenever there is another one.
    AccountEvents(Seq, Vec<Event>),
}

/// A frame that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Another program's frame.
    #[error("the frame has version {0}, this page reads {VERSION}")]
    Version(u8),
    /// No frame at all.
    #[error("the frame is empty")]
    Empty,
    /// Not the bytes of a frame.
    #[error("the frame can't be read: {0}")]
    Malformed(#[from] postcard::Error),
}

impl Frame {
    /// The bytes that travel.
    ///
    /// # Errors
    /// Never for frames made of this crate's types; the signature is postcard's.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![VERSION])
    }

    /// Reads what [`Frame::encode`] wrote.
    ///
    /// # Errors
    /// When the version differs or the bytes are no frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(postcard::from_bytes(rest)?),
            Some((version, _)) => Err(DecodeError::Version(*version)),
            None => Err(DecodeError::Empty),
        }
    }
}

/// What a viewer says, as JSON text: the topics that it shows from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// All topics wanted; those not named are not sent any more.
    pub topics: Vec<TopicId>,
}

impl Subscribe {
    /// The text that says so. Names of topics have no control characters: collectors let none through.
    #[must_use]
    pub fn text<'a>(topics: impl IntoIterator<Item = &'a TopicId>) -> String {
        let escaped = |t: &TopicId| t.to_string().replace('\\', r"\\").replace('"', r#"\""#);
        let names: Vec<String> = topics.into_iter().map(|t| format!("\"{}\"", escaped(t))).collect();
        format!("{{\"topics\":[{}]}}", names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_of_another_version_is_told() {
        let mut bytes = Frame::Hello { build: "x".into() }.encode().expect("encodes");
        assert!(Frame::decode(&bytes).is_ok());
        bytes[0] += 1;
        assert!(matches!(Frame::decode(&bytes), Err(DecodeError::Version(4))));
        assert!(matches!(Frame::decode(&[]), Err(DecodeError::Empty)));
    }

    #[test]
    fn what_a_viewer_says_is_json() {
        let topics = vec![TopicId::Fleet, TopicId::proxy("edge", "web.1_a-b:c"), TopicId::proxy("edge", r#"a"b\c"#)];
        let said: Subscribe = serde_json::from_str(&Subscribe::text(&topics)).expect("JSON");
        assert_eq!(said.topics, topics);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
            let _: Result<Frame, DecodeError> = Frame::decode(&[&[VERSION], bytes.as_slice()].concat());
        }
    }
}
