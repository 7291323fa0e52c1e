//! `sluice token` and `sluice wall`: API tokens for scripts and wall links for displays, made on the machine.
//!
//! A secret is written alone to standard output, so that a script can keep it (`TOKEN=$(sluice token add …)`); what is said
//! about it goes to standard error.

use std::{
    io::{self, Write},
    time::Duration,
};

use clap::{Args, Subcommand};
use rusqlite::Transaction;

use super::{DataArgs, system_user};
use crate::{
    auth::{
        Principal, UserName,
        authn::{
            expiry,
            tokens::{self, NewToken, Scope, Token, TokenError},
            wall_links::{self, NewWallLink, WallLink, WallLinkError},
        },
    },
    clock::{day, now},
    config::ConfigError,
    db::{self, DatabaseError, Handle},
    schema::MIGRATIONS,
};

/// Arguments of `sluice token`.
#[derive(Args, Clone, Debug)]
pub struct TokenArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What can be done with API tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print it this once
    Add {
        /// The local account whose token it is
        #[arg(long, value_name = "NAME")]
        user: UserName,
        /// What it may be used for: `read` to look, `act` for all that the account may do
        #[arg(long)]
        scope: Scope,
        /// How long it lasts, as 30d; 400d at most
        #[arg(long, value_name = "TIME", value_parser = expiry::parse)]
        expires: Duration,
        /// What it is for, in your words
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the tokens: their names, never what opens something
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// End a token
    Remove {
        /// Its name, as the list has it
        id: String,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Arguments of `sluice wall`.
#[derive(Args, Clone, Debug)]
pub struct WallArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WallCommand,
}

/// What can be done with wall links.
#[derive(Clone, Debug, Subcommand)]
pub enum WallCommand {
    /// Make an address that shows the wall, and print it this once
    Add {
        /// Which display it is for
        #[arg(long)]
        name: String,
        /// A cluster that it shows, or a pattern, as edge-*; may be given several times
        #[arg(long, required = true)]
        cluster: Vec<String>,
        /// How long it lasts, as 90d; 400d at most
        #[arg(long, value_name = "TIME", value_parser = expiry::parse)]
        expires: Duration,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the wall links
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// End a wall link; a display that shows it is cut off within a second
    Remove {
        /// Its name, as the list has it
        id: String,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Why a command about tokens or wall links was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum TokenCommandError {
    /// The configuration can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file can't be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The token was not made or ended.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The wall link was not made or ended.
    #[error(transparent)]
    Wall(#[from] WallLinkError),
    /// Output failed.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
}

/// Carries out `sluice token`. Writes what was asked for to `out`: a secret, a list, what was removed; and what is said
/// about a secret to `notes`.
///
/// # Errors
/// When nothing was changed, with why.
pub fn token(args: &TokenArgs, out: &mut impl Write, notes: &mut impl Write) -> Result<(), TokenCommandError> {
    let by = Principal::command_line(&system_user());
    match &args.command {
        TokenCommand::Add { user, scope, expires, note, data } => {
            let new = NewToken {
                user: user.clone(),
                scope: *scope,
                note: note.clone(),
                expires: expiry::after(now(), *expires),
            };
            let (token, secret) = change(data, |transaction| tokens::add(transaction, &new, &by, now()))?;
            writeln!(out, "{secret}")?;
            writeln!(
                notes,
                "token {} of {}, scope {}, until {}",
                token.id,
                token.user,
                token.scope,
                day(token.expires)
            )?;
        }
        TokenCommand::List { data } => {
            for Token { id, user, scope, note, expires, used, .. } in
                tokens::list(&*open(data)?, None).map_err(DatabaseError::from)?
            {
                let used = used.map_or_else(|| "never used".to_owned(), |used| format!("used {}", day(used)));
                let until = until(expires);
                writeln!(out, "{id}  {user}  {:<4}  {until}  {used}  {note}", scope.word())?;
            }
        }
        TokenCommand::Remove { id, data } => {
            let token = change(data, |transaction| tokens::remove(transaction, id, None, &by))?;
            writeln!(out, "token {} of {} has ended", token.id, token.user)?;
        }
    }
    Ok(())
}

/// Carries out `sluice wall`, as [`token`] does `sluice token`: the secret is the address.
///
/// # Errors
/// When nothing was changed, with why.
pub fn wall(args: &WallArgs, out: &mut impl Write, notes: &mut impl Write) -> Result<(), TokenCommandError> {
    let by = Principal::command_line(&system_user());
    match &args.command {
        WallCommand::Add { name, cluster, expires, data } => {
            let expires = expiry::after(now(), *expires);
            let new = NewWallLink { name: name.clone(), clusters: cluster.clone(), expires };
            let url = data.settings()?.url.map(|url| url.to_string());
            let (link, path) = change(data, |transaction| wall_links::add(transaction, &new, &by, now()))?;
            writeln!(out, "{}{path}", url.as_deref().unwrap_or_default())?;
            let hint = if url.is_some() { "" } else { "; put the address of Sluice before it" };
            let WallLink { id, name, clusters, expires, .. } = link;
            let (clusters, expires) = (clusters.join(", "), day(expires));
            writeln!(notes, "wall link {id} of {name}, shows {clusters}, until {expires}{hint}")?;
        }
        WallCommand::List { data } => {
            for WallLink { id, name, clusters, expires, opened, .. } in
                wall_links::list(&*open(data)?).map_err(DatabaseError::from)?
            {
                let opened = opened.map_or_else(|| "never opened".to_owned(), |at| format!("opened {}", day(at)));
                writeln!(out, "{id}  {name}  {}  {}  {opened}", clusters.join(", "), until(expires))?;
            }
        }
        WallCommand::Remove { id, data } => {
            let link = change(data, |transaction| wall_links::remove(transaction, id, &by))?;
            writeln!(out, "wall link {} of {} has ended", link.id, link.name)?;
        }
    }
    Ok(())
}

fn open(data: &DataArgs) -> Result<Handle, TokenCommandError> {
    Ok(db::connect(&data.folder()?, MIGRATIONS)?)
}

/// Changes something in one transaction.
fn change<T, E: Into<TokenCommandError>>(
    data: &DataArgs,
    job: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, TokenCommandError> {
    open(data)?.transact(job)?.map_err(Into::into)
}

fn until(expires: i64) -> String {
    format!("{} {}", if expires > now() { "until" } else { "ended" }, day(expires))
}

#[cfg(test)]
mod tests;
