//! Passwords: what is asked of a new one, and argon2id.

use std::{fmt, str::FromStr};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};

/// The fewest characters: what a guesser at the log-in page, who is slowed down, can't reach even with a good dictionary.
/// NIST SP 800-63B asks for length and for no mixture of characters.
const SHORTEST: usize = 12;

/// The most bytes: a sentence fits many times, and hashing it costs nothing worth mentioning.
pub const LONGEST: usize = 1_024;

/// What an attempt costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes, which one thread goes through here.
    pub lanes: u32,
}

/// A password as somebody typed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// What is kept of a password: a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a password can't be taken, or not be hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It has fewer characters than [`SHORTEST`].
    #[error("the password is too short: {SHORTEST} characters are the least; a few words make a good one")]
    Short,
    /// It has more bytes than [`LONGEST`].
    #[error("the password is too long: {LONGEST} bytes are the most")]
    Long,
    /// It is the account's name.
    #[error("the password is the account's name: take another")]
    Name,
    /// argon2 failed.
    #[error("the password can't be hashed: {0}")]
    Hash(String),
}

impl Cost {
    /// OWASP's first choice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
    pub const USUAL: Self = Self { memory: 19_456, passes: 2, lanes: 1 };

    fn argon2(self) -> Result<Argon2<'static>, PasswordError> {
        let params = Params::new(self.memory, self.passes, self.lanes, None).map_err(failed)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

impl Password {
    /// A password as it was typed, right or wrong.
    #[must_use]
    pub fn typed(text: String) -> Self {
        Self(text)
    }

    /// Checks a new password of the account `name`.
    ///
    /// # Errors
    /// When it is too short, too long, or the name. Nothing else is asked of it.
    pub fn check(&self, name: &str) -> Result<(), PasswordError> {
        match self {
            Self(text) if text.chars().count() < SHORTEST => Err(PasswordError::Short),
            Self(text) if text.len() > LONGEST => Err(PasswordError::Long),
            Self(text) if text.eq_ignore_ascii_case(name) => Err(PasswordError::Name),
            Self(_) => Ok(()),
        }
    }

    /// Hashes it with a salt of its own. Takes tens of milliseconds, and the memory that `cost` says.
    ///
    /// # Errors
    /// When there is not enough memory, or no randomness.
    pub fn hash(&self, cost: Cost) -> Result<PasswordHash, PasswordError> {
        let hash: phc::PasswordHash = cost.argon2()?.hash_password(self.0.as_bytes()).map_err(failed)?;
        Ok(PasswordHash(hash.to_string()))
    }
}

impl PasswordHash {
    /// Whether this is the hash of `password`. Costs what the hash says, compared in constant time.
    #[must_use]
    pub fn fits(&self, password: &Password) -> bool {
        let Ok(hash) = phc::PasswordHash::new(&self.0) else { return false };
        password.0.len() <= LONGEST && Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok()
    }

    /// Whether it was made at another cost.
    #[must_use]
    pub fn is_outdated(&self, cost: Cost) -> bool {
        let params = phc::PasswordHash::new(&self.0).ok().and_then(|hash| Params::try_from(&hash).ok());
        let made = params.map(|p| Cost { memory: p.m_cost(), passes: p.t_cost(), lanes: p.p_cost() });
        made != Some(cost) || !self.0.starts_with("$argon2id$v=19$")
    }

    /// The PHC string, for the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PasswordHash {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, PasswordError> {
        phc::PasswordHash::new(text).map_err(failed)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

fn failed(error: impl fmt::Display) -> PasswordError {
    PasswordError::Hash(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

    #[test]
    fn length_and_name_are_all_that_is_asked_of_a_password() {
        for (text, expected) in [
            ("correct horse", Ok(())),
            ("123456789012", Ok(())),
            ("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", Ok(())),
            ("elevenchars", Err(PasswordError::Short)),
            ("", Err(PasswordError::Short)),
            ("Anna.Long.Name", Err(PasswordError::Name)),
        ] {
            assert_eq!(Password::typed(text.to_owned()).check("anna.long.name"), expected, "{text}");
        }
        assert_eq!(Password::typed("x".repeat(LONGEST)).check("anna"), Ok(()));
        assert_eq!(Password::typed("x".repeat(LONGEST + 1)).check("anna"), Err(PasswordError::Long));
    }

    #[test]
    fn a_hash_fits_its_password_alone_and_knows_what_it_cost() {
        let [right, wrong] = ["correct horse", "correct horsf"].map(|text| Password::typed(text.to_owned()));
        let hash = right.hash(CHEAP).expect("hashed");
        assert!(hash.fits(&right) && !hash.fits(&wrong));
        assert_ne!(right.hash(CHEAP).expect("hashed"), hash, "each has a salt of its own");
        assert!(!hash.is_outdated(CHEAP) && hash.is_outdated(Cost::USUAL));
        let read: PasswordHash = hash.as_str().parse().expect("a PHC string");
        assert!(read.fits(&right));
        assert!("no PHC string".parse::<PasswordHash>().is_err());
        let long = Password::typed("x".repeat(LONGEST + 1));
        assert!(!long.hash(CHEAP).expect("hashed").fits(&long));
        assert_eq!(format!("{right:?} {hash:?}"), "Password(..) PasswordHash(..)");
    }

    #[test]
    fn the_usual_cost_is_owasp_s() {
        let hash = Password::typed("correct horse".to_owned()).hash(Cost::USUAL).expect("hashed");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(!hash.is_outdated(Cost::USUAL));
    }
}
