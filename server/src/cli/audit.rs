//! `sluice audit`: whether the audit log is as it was written, and the audit log as a file. It only reads.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use rusqlite::Connection;

use super::DataArgs;
use crate::{
    audit::{ExportFormat, ExportFormatError, Filter, Head, HeadError, Verified, head, query, time, verify},
    config::ConfigError,
    db::{self, DatabaseError},
    schema::MIGRATIONS,
};

/// Arguments of `sluice audit`.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What can be done with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Say whether any entry was changed, added or taken away
    Verify {
        #[command(flatten)]
        data: DataArgs,
        /// A head that this command or the syslog showed earlier: the audit log must still contain it
        #[arg(long, value_name = "ID:HASH", value_parser = |text: &str| text.parse::<Head>().map_err(|e: HeadError| e))]
        head: Option<Head>,
    },
    /// Write the entries to standard output, oldest first
    Export {
        #[command(flatten)]
        data: DataArgs,
        /// `csv` or `jsonl`
        #[arg(long, value_parser = |text: &str| text.parse::<ExportFormat>().map_err(|e: ExportFormatError| e))]
        format: ExportFormat,
        /// Only entries written at or after this, in UTC: 2026-11-21 or 2026-11-21T13:05:07Z
        #[arg(long, value_name = "TIME", value_parser = time::parse)]
        since: Option<i64>,
        /// Only entries written before this
        #[arg(long, value_name = "TIME", value_parser = time::parse)]
        until: Option<i64>,
    },
}

/// Why nothing could be done.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The configuration can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file can't be used.
    #[error(transparent)]
    File(#[from] DatabaseError),
    /// It can't be read.
    #[error("the audit log can't be read: {0}")]
    Read(#[from] rusqlite::Error),
    /// Nobody takes what is written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Does it; whether all is well.
///
/// # Errors
/// When the audit log can't be read, or `out` can't be written to.
pub fn audit(args: &AuditArgs, out: &mut impl Write) -> Result<bool, AuditError> {
    let open =
        |data: &DataArgs| -> Result<Connection, AuditError> { Ok(db::open_read_only(&data.folder()?, MIGRATIONS)?) };
    match &args.command {
        AuditCommand::Verify { data, head } => {
            let connection = open(data)?;
            let difference = db::schema_difference(&connection, MIGRATIONS)?;
            if let Some(difference) = &difference {
                writeln!(out, "the tables are NOT as Sluice makes them: {difference}")?;
            }
            match verify(&connection, head.as_ref()) {
                Ok(verified) => {
                    write_verified(&verified, out)?;
                    Ok(difference.is_none())
                }
                Err(broken) => {
                    writeln!(out, "the audit log is NOT as it was written: {broken}")?;
                    Ok(false)
                }
            }
        }
        AuditCommand::Export { data, format, since, until } => {
            let connection = open(data)?;
            let filter = Filter { from: *since, to: *until, ..Filter::default() };
            let (mut next, last) = (Some(1), head(&connection)?.id);
            out.write_all(&format.head())?;
            while let Some(first) = next {
                let page = query::oldest(&connection, &filter, first, last)?;
                out.write_all(&format.lines(page.entries))?;
                next = page.next;
            }
            out.flush()?;
            Ok(true)
        }
    }
}

fn write_verified(verified: &Verified, out: &mut impl Write) -> io::Result<()> {
    let Verified { entries, span, head, anchor } = verified;
    let Some((first, last)) = span else { return writeln!(out, "the audit log is empty") };
    let (first, last) = (time::format(*first), time::format(*last));
    let count = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    writeln!(out, "{count} from {first} to {last}: nothing was changed, added or taken away")?;
    if anchor.id > 0 {
        writeln!(out, "entries 1 to {} were dropped by Sluice, for their age or to make room", anchor.id)?;
    }
    writeln!(out, "head {head}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Entry, Kind, append, by_sluice};

    fn run(command: AuditCommand) -> (bool, String) {
        let mut out = Vec::new();
        let good = audit(&AuditArgs { command }, &mut out).expect("read");
        (good, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn a_good_log_shows_its_head_and_a_changed_one_its_first_wrong_entry() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = DataArgs { data: Some(dir.path().to_owned()), config: None };
        let missing =
            audit(&AuditArgs { command: AuditCommand::Verify { data: data.clone(), head: None } }, &mut Vec::new());
        assert!(missing.is_err() && !dir.path().join("sluice.db").exists(), "nothing is made by looking");
        // Sluice runs meanwhile.
        let connection = db::connect(dir.path(), MIGRATIONS).expect("opens");
        let verify = |head: Option<&str>| {
            let head = head.map(|h| h.parse().expect("a head"));
            run(AuditCommand::Verify { data: data.clone(), head })
        };
        assert_eq!(verify(None), (true, "the audit log is empty\n".to_owned()));
        for n in 0..3 {
            append(&connection, &Entry { at: n, ..by_sluice(Kind::Account, "test") }).expect("written");
        }
        let (good, text) = verify(None);
        assert!(good && text.starts_with("3 entries from 1970-01-01T00:00:00.000Z to 1970"), "{text}");
        let head = text.lines().last().and_then(|line| line.strip_prefix("head ")).expect("a head").to_owned();
        assert!(verify(Some(&head)).0);
        assert!(!verify(Some(&head.replacen('3', "4", 1))).0);
        let (good, export) =
            run(AuditCommand::Export { data: data.clone(), format: ExportFormat::Csv, since: Some(1), until: Some(2) });
        assert!(
            good && export.lines().count() == 2 && export.contains("\r\n2,1970-01-01T00:00:00.001Z,account,"),
            "{export}"
        );
        connection
            .execute_batch("DROP TRIGGER record_is_not_changed; UPDATE record SET who = 'x' WHERE id = 2")
            .expect("SQL");
        let (good, text) = verify(None);
        let told = "the tables are NOT as Sluice makes them: the trigger record_is_not_changed is missing\n\
                    the audit log is NOT as it was written: entry 2 of 1970";
        assert!(!good && text.starts_with(told), "{text}");
    }
}
