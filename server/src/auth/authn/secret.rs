//! Random bytes that open something: a session, an API token, a wall link.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
};

/// Bytes of a secret: 256 bits can't be guessed.
const BYTES: usize = 32;

/// Characters of a secret in base64url without padding.
const CHARACTERS: usize = 43;

/// Bytes of an id, which names a thing and opens nothing.
const ID_BYTES: usize = 8;

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: nothing can be opened without them")]
pub struct RandomError;

/// A secret of 32 random bytes. It is shown to its owner once; only its hash is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; BYTES]);

/// What is stored of a secret: its SHA-256. As secrets are random, they need neither a salt nor a slow hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; digest::SHA256_OUTPUT_LEN]);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, RandomError> {
        Ok(Self(random()?))
    }

    /// Reads what [`Self::reveal`] wrote. Each secret has one spelling, and no other is accepted.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARACTERS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The secret as base64url without padding, for its owner alone.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it, and looked up by. The time that a look-up takes reveals nothing: to make use of it, an
    /// attacker would have to choose hashes.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        let mut hash = [0; digest::SHA256_OUTPUT_LEN];
        hash.copy_from_slice(digest::digest(&digest::SHA256, &self.0).as_ref());
        SecretHash(hash)
    }
}

impl SecretHash {
    /// Its bytes, for the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A new id, which names a thing in lists and in the audit log: hexadecimal digits.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_id() -> Result<String, RandomError> {
    Ok(random::<ID_BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_in_one_form_only_and_never_shown() {
        let secret = Secret::random().expect("random bytes");
        let text = secret.reveal();
        assert_eq!((Secret::parse(&text), text.len()), (Some(secret), CHARACTERS));
        assert_ne!(Secret::random().expect("random bytes"), secret);
        assert!(!format!("{secret:?}").contains(&text[..8]));
        // The last character holds four bits of the secret, and two that must be zero.
        let other_end = format!("{}{}", &text[..CHARACTERS - 1], if text.ends_with('B') { 'C' } else { 'B' });
        let other_alphabet = "+".repeat(CHARACTERS);
        for bad in ["", "x", &text[1..], &format!("{text}="), &other_end, &other_alphabet, &format!(" {}", &text[1..])]
        {
            assert_eq!(Secret::parse(bad), None, "{bad}");
        }
        assert_eq!(new_id().expect("random bytes").len(), 2 * ID_BYTES);
    }
}
