//! Writes what belongs to the programs and is made from them: manual pages, completions of three shells, and the
//! templates of the settings.
//!
//! `manuals DIR` makes `DIR/man`, `DIR/bash`, `DIR/zsh`, `DIR/fish` and `DIR/etc`.

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use laptop::service::process::{FETCH, IMAGE, LANGUAGE};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a person types, with its manual in section 1, completed by shells.
fn typed() -> Vec<Command> {
    vec![
        laptop::cli::Arguments::command(),
        laptop::agent::Arguments::command(),
    ]
}

/// What runs by itself, with its manual in section 8.
fn daemons() -> Vec<Command> {
    vec![
        laptop::daemon::Arguments::command(),
        laptop::link::Arguments::command(),
        LANGUAGE.command(),
        IMAGE.command(),
        FETCH.command(),
        laptop::web::Arguments::command(),
    ]
}

fn main() -> ExitCode {
    let Some(out) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("manuals: name the folder to write to");
        return ExitCode::from(2);
    };
    match write(&out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manuals: {}: {error}", out.display());
            ExitCode::FAILURE
        }
    }
}

fn write(out: &Path) -> io::Result<()> {
    for folder in ["man", "bash", "zsh", "fish"] {
        std::fs::create_dir_all(out.join(folder))?;
    }
    for command in typed() {
        manual(&out.join("man"), "1", command.clone(), &[])?;
        complete(out, command)?;
    }
    for command in daemons() {
        manual(&out.join("man"), "8", command.clone(), &[])?;
        if command.get_name() == "laptop-daemon" {
            complete(out, command)?;
        }
    }
    laptop::config::write_templates(&out.join("etc"))
}

fn complete(out: &Path, command: Command) -> io::Result<()> {
    let name = command.get_name().to_owned();
    for (shell, folder) in [
        (Shell::Bash, "bash"),
        (Shell::Zsh, "zsh"),
        (Shell::Fish, "fish"),
    ] {
        generate_to(shell, &mut command.clone(), &name, out.join(folder))?;
    }
    // Where bash looks for it, it is named like the program.
    let bash = out.join("bash");
    std::fs::rename(bash.join(format!("{name}.bash")), bash.join(name))
}

/// The page of a program, and one for each of its commands.
fn manual(folder: &Path, section: &str, command: Command, above: &[String]) -> io::Result<()> {
    let mut path = above.to_vec();
    path.push(command.get_name().to_owned());
    let command = command.version(env!("CARGO_PKG_VERSION"));
    let (name, shown) = (path.join("-"), path.join(" "));
    let commands: Vec<Command> = command
        .get_subcommands()
        .filter(|one| one.get_name() != "help" && !one.is_hide_set())
        .cloned()
        .collect();
    // Names of commands live as long as the program, which ends soon.
    let page = command.name(&*name.clone().leak()).bin_name(shown);
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .section(section)
        .manual("OfficeOS")
        .date("")
        .render(&mut text)?;
    std::fs::write(folder.join(format!("{name}.{section}")), text)?;
    let mut below = commands.into_iter();
    below.try_for_each(|one| manual(folder, section, one, &path))
}
