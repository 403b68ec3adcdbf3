//! What the commands do where nobody reads on, as behind `| head`.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Write, pipe},
    process::{Command, Stdio},
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart/flow.yaml");

#[test]
fn a_command_whose_output_nobody_reads_ends_without_a_word_and_as_sigpipe_ends_others() {
    for command in ["check", "graph", "simulate"] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let (answers, mut customer) = pipe().unwrap();
        customer.write_all(b"hola\n").unwrap();
        drop(customer);
        let ended = Command::new(env!("CARGO_BIN_EXE_wigwag-dataplane"))
            .args(["flow", command, EXAMPLE])
            .stdin(answers)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(141), b"".as_slice()), "{command}");
    }
}
