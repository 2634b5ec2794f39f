//! The local page, and tokens of the control API on loopback.

use super::Talk;
use super::exit::CliError;
use super::format::table;
use crate::control::api::{Access, MadeToken, NewToken, PageLogin, Token, TokenName};
use crate::sanitize::visible;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::{Command, Stdio};

/// What opens an address in the browser that the person has chosen.
const OPENER: &str = "xdg-open";

/// Arguments of `page`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only print the address
    #[arg(long)]
    print: bool,
}

/// What there is to do with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Tokens {
    /// List them
    List,
    /// Make one; its secret is shown this once
    Make {
        /// Name, to tell it by
        name: String,
        /// Let it change things too; without this it may only look
        #[arg(long)]
        full: bool,
    },
    /// End one, at once
    Revoke {
        /// Its name
        name: String,
    },
}

pub(super) fn open(talk: &mut Talk, arguments: &Arguments) -> Result<(), CliError> {
    let login: PageLogin = talk.call("page.login", Value::Null)?;
    let opened = !arguments.print
        && !talk.json
        && Command::new(OPENER)
            .arg(&login.url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    talk.print(&login, |login| {
        let minutes = login.expires_in_s / 60;
        match opened {
            true => format!(
                "The page opens in your browser; if it asks, the code is\n  {}",
                login.code
            ),
            false => format!(
                "Open within {minutes} minutes, once, on this machine:\n  {}",
                login.url
            ),
        }
    })
}

pub(super) fn tokens(talk: &mut Talk, command: &Tokens) -> Result<(), CliError> {
    match command {
        Tokens::List => {
            let tokens: Vec<Token> = talk.call("tokens.list", Value::Null)?;
            talk.print(&tokens, |tokens| {
                if tokens.is_empty() {
                    return "There are no tokens.".to_owned();
                }
                let rows: Vec<Vec<String>> = tokens.iter().map(row).collect();
                table(&["NAME", "MAY", "MADE"], &rows)
            })
        }
        Tokens::Make { name, full } => {
            let wanted = NewToken {
                name: name.clone(),
                access: if *full { Access::Full } else { Access::Read },
            };
            let made: MadeToken = talk.call("tokens.make", wanted)?;
            talk.print(&made, |made| {
                format!(
                    "Token {}, shown this once; send it as Authorization: Bearer\n  {}",
                    visible(&made.token.name),
                    made.secret
                )
            })
        }
        Tokens::Revoke { name } => {
            let gone: Token = talk.call("tokens.revoke", TokenName { name: name.clone() })?;
            talk.print(&gone, |gone| {
                format!("Token {} is worth nothing any more.", visible(&gone.name))
            })
        }
    }
}

fn row(token: &Token) -> Vec<String> {
    let may = match token.access {
        Access::Read => "read",
        Access::Full => "read and change",
    };
    vec![token.name.clone(), may.to_owned(), token.made.clone()]
}
