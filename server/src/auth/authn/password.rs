//! Passwords: what a new one must be like, and how it is hashed (argon2id).

use std::{fmt, str::FromStr};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{phc, try_generate_salt},
};

/// The fewest characters. Whoever guesses at the log-in page is slowed down, and can't reach such a password even with a
/// good dictionary. NIST SP 800-63B asks for length, and not for a mixture of characters.
const SHORTEST: usize = 12;

/// The most bytes: many sentences fit, and hashing them takes no noticeable time.
pub const LONGEST: usize = 1_024;

/// What hashing a password costs, argon2's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes; one thread goes through all of them here.
    pub lanes: u32,
}

/// The memory that hashing works in, kept from one password to the next: where 19 MiB were freed and allocated for each
/// one, every thread's heap would be fragmented to eight times that size.
#[derive(Default)]
pub struct HashMemory(Vec<Block>);

/// A password as somebody typed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// What is stored of a password: a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a password can't be used, or not be hashed.
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
}

impl Password {
    /// A password as it was typed, right or wrong.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Checks a new password of the account `name`.
    ///
    /// # Errors
    /// When it is too short, too long, or the name. Nothing else is required of it.
    pub fn check(&self, name: &str) -> Result<(), PasswordError> {
        match self {
            Self(text) if text.chars().count() < SHORTEST => Err(PasswordError::Short),
            Self(text) if text.len() > LONGEST => Err(PasswordError::Long),
            Self(text) if text.eq_ignore_ascii_case(name) => Err(PasswordError::Name),
            Self(_) => Ok(()),
        }
    }

    /// Hashes it with a new salt. Takes tens of milliseconds, and as much memory as `cost` says.
    ///
    /// # Errors
    /// When there is not enough memory, or no randomness.
    pub fn hash(&self, cost: Cost, memory: &mut HashMemory) -> Result<PasswordHash, PasswordError> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None).map_err(failed)?;
        let salt = phc::Salt::new(&try_generate_salt().map_err(failed)?).map_err(failed)?;
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        let written = phc::ParamsString::try_from(&params).map_err(failed)?;
        memory.hash(Algorithm::Argon2id, Version::V0x13, params, &self.0, &salt, &mut out)?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: written,
            salt: Some(salt),
            hash: Some(phc::Output::new(&out).map_err(failed)?),
        };
        Ok(PasswordHash(hash.to_string()))
    }
}

impl HashMemory {
    fn hash(
        &mut self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &str,
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), PasswordError> {
        self.0.resize(self.0.len().max(params.block_count()), Block::default());
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut self.0).map_err(failed)
    }
}

impl PasswordHash {
    /// Whether this is the hash of `password`. Costs what the hash says; compared in constant time.
    #[must_use]
    pub fn verifies(&self, password: &Password, memory: &mut HashMemory) -> bool {
        self.compare(password, memory).unwrap_or(false)
    }

    /// The same; nothing where this is not a hash of argon2.
    fn compare(&self, password: &Password, memory: &mut HashMemory) -> Option<bool> {
        let hash = phc::PasswordHash::new(&self.0).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = Version::try_from(hash.version?).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let mut buffer = [0; phc::Output::MAX_LENGTH];
        let out = buffer.get_mut(..expected.len())?;
        memory.hash(algorithm, version, params, &password.0, &salt, out).ok()?;
        // Comparing two outputs takes the same time wherever they differ.
        Some(password.0.len() <= LONGEST && phc::Output::new(out).ok()? == expected)
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

impl fmt::Debug for HashMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashMemory({} KiB)", self.0.len())
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
            assert_eq!(Password::new(text.to_owned()).check("anna.long.name"), expected, "{text}");
        }
        assert_eq!(Password::new("x".repeat(LONGEST)).check("anna"), Ok(()));
        assert_eq!(Password::new("x".repeat(LONGEST + 1)).check("anna"), Err(PasswordError::Long));
    }

    #[test]
    fn a_hash_fits_its_password_alone_and_knows_what_it_cost() {
        let [right, wrong] = ["correct horse", "correct horsf"].map(|text| Password::new(text.to_owned()));
        let hash = right.hash(CHEAP, &mut HashMemory::default()).expect("hashed");
        assert!(
            hash.verifies(&right, &mut HashMemory::default()) && !hash.verifies(&wrong, &mut HashMemory::default())
        );
        assert_ne!(right.hash(CHEAP, &mut HashMemory::default()).expect("hashed"), hash, "each has a salt of its own");
        assert!(!hash.is_outdated(CHEAP) && hash.is_outdated(Cost::USUAL));
        let read: PasswordHash = hash.as_str().parse().expect("a PHC string");
        assert!(read.verifies(&right, &mut HashMemory::default()));
        assert!("no PHC string".parse::<PasswordHash>().is_err());
        let long = Password::new("x".repeat(LONGEST + 1));
        assert!(
            !long.hash(CHEAP, &mut HashMemory::default()).expect("hashed").verifies(&long, &mut HashMemory::default())
        );
        assert_eq!(format!("{right:?} {hash:?}"), "Password(..) PasswordHash(..)");
    }

    #[test]
    fn memory_that_was_used_before_makes_the_same_hash() {
        let [first, second] = ["correct horse", "another horse"].map(|text| Password::new(text.to_owned()));
        let mut memory = HashMemory::default();
        let larger = first.hash(Cost { memory: 64, ..CHEAP }, &mut memory).expect("hashed");
        let smaller = second.hash(CHEAP, &mut memory).expect("hashed");
        for memory in [&mut memory, &mut HashMemory::default()] {
            assert!(larger.verifies(&first, memory) && smaller.verifies(&second, memory));
            assert!(!larger.verifies(&second, memory) && !smaller.verifies(&first, memory));
        }
        // As argon2's own program made it: `echo -n password | argon2 somesalt -id -t 2 -m 8 -p 1 -l 32 -e`.
        let known = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let known: PasswordHash = known.parse().expect("a PHC string");
        assert!(known.verifies(&Password::new("password".to_owned()), &mut memory));
    }

    #[test]
    fn the_usual_cost_is_owasp_s() {
        let hash =
            Password::new("correct horse".to_owned()).hash(Cost::USUAL, &mut HashMemory::default()).expect("hashed");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(!hash.is_outdated(Cost::USUAL));
    }
}
