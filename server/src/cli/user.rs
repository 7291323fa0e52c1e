//! `sluice user`: local accounts, changed on the machine.

use std::io::{self, Read, Write};

use clap::{Args, Subcommand};
use model::rights::Role;
use rusqlite::Transaction;

use super::{DataArgs, system_user};
use crate::{
    auth::{
        Cost, HashMemory, LONGEST_PASSWORD, Password, PasswordError, PasswordHash, Principal, User, UserError,
        UserName, password_update, users,
    },
    clock::now,
    config::ConfigError,
    db::{self, DatabaseError, Handle},
    schema::MIGRATIONS,
};

/// Arguments of `sluice user`.
#[derive(Args, Clone, Debug)]
pub struct UserArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What can be done with accounts.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account
    Add {
        /// Its name: letters, digits, `_`, `.`, `@` and `-`, at most 64
        name: UserName,
        /// What it may do at most: viewer, operator or admin
        #[arg(long)]
        role: Role,
        /// A group that it belongs to, for the rules of the configuration; may be given several times
        #[arg(long, value_name = "GROUP", value_parser = users::group)]
        group: Vec<String>,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Give an account another password; its sessions and API tokens end
    Passwd {
        /// Its name
        name: UserName,
        /// Keep its API tokens
        #[arg(long)]
        keep_tokens: bool,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Give an account another role; its sessions have it at once
    Role {
        /// Its name
        name: UserName,
        /// What it may do at most: viewer, operator or admin
        role: Role,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Put an account into these groups and no others; its sessions are in them at once
    Groups {
        /// Its name
        name: UserName,
        /// A group that it belongs to; may be given several times, and not at all for none
        #[arg(long, value_name = "GROUP", value_parser = users::group)]
        group: Vec<String>,
        #[command(flatten)]
        data: DataArgs,
    },
    /// End an account and its sessions
    Remove {
        /// Its name
        name: UserName,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Where the password comes from.
#[derive(Args, Clone, Debug)]
pub struct PasswordArgs {
    /// Read the password from standard input, one line; an argument would show in the list of processes
    #[arg(long)]
    pub password_stdin: bool,
}

/// Why a command about accounts was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum UserCommandError {
    /// The configuration can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file can't be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The account was not changed.
    #[error(transparent)]
    User(#[from] UserError),
    /// The password can't be taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Nobody said where the password comes from.
    #[error(
        "the password comes from standard input: add --password-stdin, and type the password and Enter, or pipe it: \
         `pass show sluice | sluice user ... --password-stdin`"
    )]
    NoPassword,
    /// Standard input or output failed.
    #[error("cannot read or write: {0}")]
    Io(#[from] io::Error),
}

/// Carries out a command: reads a password from `input`, writes what was done to `out`.
///
/// # Errors
/// When nothing was changed, with why.
pub fn user(args: &UserArgs, input: &mut impl Read, out: &mut impl Write) -> Result<(), UserCommandError> {
    let by = Principal::command_line(&system_user());
    match &args.command {
        UserCommand::Add { name, role, group, password, data } => {
            let password = read(password, name, input)?;
            let (name, groups, now) = (name.clone(), group.clone(), now());
            let account = User { name, role: *role, groups, created: now, changed: now };
            change(data, |transaction| users::add(transaction, &account, &password, &by))?;
            writeln!(out, "added {} as {role}", account.name)?;
        }
        UserCommand::Passwd { name, keep_tokens, password, data } => {
            let password = read(password, name, input)?;
            let ended = change(data, |transaction| match keep_tokens {
                true => {
                    password_update::set_password_only(transaction, name, &password, &by, now()).map(|()| Vec::new())
                }
                false => password_update::set_password(transaction, name, &password, &by, now()),
            })?;
            writeln!(out, "{name} has another password; its sessions ended")?;
            if !ended.is_empty() {
                writeln!(out, "its API tokens ended too: {}", password_update::listed(&ended))?;
            }
        }
        UserCommand::Role { name, role, data } => {
            change(data, |transaction| users::set_role(transaction, name, *role, &by, now()))?;
            writeln!(out, "{name} is {role} now")?;
        }
        UserCommand::Groups { name, group, data } => {
            change(data, |transaction| users::set_groups(transaction, name, group, &by, now()))?;
            let groups = if group.is_empty() { "no group".to_owned() } else { group.join(", ") };
            writeln!(out, "{name} is in {groups} now")?;
        }
        UserCommand::Remove { name, data } => {
            change(data, |transaction| users::remove(transaction, name, &by))?;
            writeln!(out, "removed {name}; its sessions ended")?;
        }
        UserCommand::List { data } => {
            for User { name, role, groups, .. } in users::list(&*open(data)?).map_err(DatabaseError::from)? {
                let groups = if groups.is_empty() { String::new() } else { format!("  {}", groups.join(", ")) };
                writeln!(out, "{:<9}{name}{groups}", role.word())?;
            }
        }
    }
    Ok(())
}

fn open(data: &DataArgs) -> Result<Handle, UserCommandError> {
    Ok(db::connect(&data.folder()?, MIGRATIONS)?)
}

/// Changes something in one transaction.
fn change<T>(
    data: &DataArgs,
    job: impl FnOnce(&Transaction<'_>) -> Result<T, UserError>,
) -> Result<T, UserCommandError> {
    Ok(open(data)?.transact(job)??)
}

/// Reads a new password, to its line's end, and hashes it.
fn read(from: &PasswordArgs, name: &UserName, input: &mut impl Read) -> Result<PasswordHash, UserCommandError> {
    if !from.password_stdin {
        return Err(UserCommandError::NoPassword);
    }
    let mut bytes = Vec::new();
    // Beyond the longest password and its line's end nothing makes a difference. A terminal gives a line at a time.
    let limit = LONGEST_PASSWORD + 2;
    let mut byte = [0];
    while bytes.len() < limit && input.read(&mut byte)? == 1 {
        if byte[0] == b'\n' {
            break;
        }
        bytes.push(byte[0]);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the password is no text in UTF-8"))?;
    let password = Password::new(text);
    password.check(name.as_str())?;
    Ok(password.hash(Cost::USUAL, &mut HashMemory::default())?)
}

#[cfg(test)]
mod tests;
