//! Every example goes as its transcript says: `examples/**/transcript*.yaml`, played against the Flows beside it, or of
//! the folder above where none are beside it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").canonicalize().unwrap()
}

fn command(args: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wigwag-dataplane"));
    command.args(["flow", "simulate"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

/// Files of a folder and those within it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn is_transcript(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with("transcript") && name.ends_with(".yaml")
}

fn has_flow(folder: &Path) -> bool {
    if !folder.is_dir() {
        return false;
    }
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("kind: Flow")))
}

#[test]
fn every_example_goes_as_its_transcript_says() {
    let mut transcripts: Vec<_> = files(&examples()).into_iter().filter(|path| is_transcript(path)).collect();
    transcripts.sort();
    assert!(!transcripts.is_empty());
    for transcript in transcripts {
        let folder = transcript.ancestors().skip(1).find(|folder| has_flow(folder)).unwrap();
        let output = command(&[folder, Path::new("--script"), &transcript]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[test]
fn every_folder_of_examples_with_a_flow_has_a_transcript() {
    for folder in fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let files = files(&folder);
        let has_flow = files.iter().any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("kind: Flow")));
        assert!(!has_flow || files.iter().any(|file| is_transcript(file)), "{} has no transcript", folder.display());
    }
}

#[test]
fn every_example_can_be_drawn() {
    for folder in fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| has_flow(path)) {
        let mut graph = Command::new(env!("CARGO_BIN_EXE_wigwag-dataplane"));
        let output = graph.args(["flow", "graph"]).arg(&folder).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).starts_with("flowchart TD\n") && said(&output).lines().count() > 3, "{}", said(&output));
    }
}

#[test]
fn the_process_ends_with_1_for_a_difference_and_2_for_what_cannot_be_read() {
    let quickstart = examples().join("quickstart");
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(script.path(), "- customer: hola\n- bot: Adiós\n").unwrap();
    let output = command(&[&quickstart, Path::new("--script"), script.path()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("  - Adiós\n  + Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]\n"));
    let output = command(&[&quickstart, Path::new("--script"), Path::new("/nowhere.yaml")]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn a_pipe_is_read_as_a_terminal_is_without_prompt_and_colour() {
    let mut process = command(&[&examples().join("quickstart")]).spawn().unwrap();
    process.stdin.take().unwrap().write_all("hola\n2\n".as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let expected =
        "Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]\n¡Hasta pronto, Ana!\n· Flow \"welcome\" ended: done\n";
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), expected));
}
