//! Flows and scripts in a folder, and what the commands say of them.

#![allow(clippy::unwrap_used, clippy::panic)]

mod drawing;
mod playing;
mod talking;

use std::{fs, io::Cursor, path::PathBuf};

use tempfile::TempDir;

use super::simulate::{self, Simulate, Terminal};

/// Asks what to buy, looks up its price, and lets people sell what is dear.
const SHOP: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: shop}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: hola}]
  start: what
  session: {timeout: 2h, onTimeout: anyone}
  nodes:
  - name: what
    options:
      text: 'What, {{ contact.name }}?'
      options: [{id: pen, title: Pen, next: price}, {id: car, title: Car, next: price}]
      noMatch: sorry
  - {name: sorry, message: {text: 'Not \"{{ input }}\".', next: what}}
  - name: price
    http:
      method: POST
      url: 'https://prices.example/{{ lastInteractiveId }}'
      body: {what: '{{ lastInteractiveId }}'}
      into: price
      onError: {timeout: slow}
      next: dear
  - {name: slow, message: {text: Nobody knows.}}
  - {name: dear, condition: {cases: [{when: price.body.euros > 100, next: people}], else: cheap}}
  - {name: cheap, assign: {set: {euros: price.body.euros, odd: price.body.nothing.there, contact.bought: 'true'}, next: bought}}
  - {name: bought, message: {text: '{{ euros }} euros.', next: rest}}
  - {name: rest, delay: {for: 10s, next: bye}}
  - {name: bye, message: {text: Bye!, next: done}}
  - {name: done, end: {reason: bought}}
  - {name: people, handoff: {queue: sales, note: 'wants a {{ lastSelectedOption }}', timeout: 1d, next: sold}}
  - {name: sold, message: {text: 'Sold, {{ seller }}.', next: next day}}
  - {name: next day, delay: {for: 30h, next: news}}
  - {name: news, message: {text: How is it?, template: {name: news, language: en, parameters: [{component: Body, value: '{{ contact.name }}'}]}, next: pay}}
  - {name: pay, waitFor: {into: paid, timeout: 1d, onTimeout: unpaid, next: paid}}
  - {name: paid, message: {text: 'Paid {{ paid.sum }}.', onFail: lost, next: settle}}
  - {name: settle, delay: {for: 1h, next: done}}
  - {name: lost, end: {reason: unreachable}}
  - {name: unpaid, end: {reason: unpaid}}
  - {name: anyone, message: {text: Anyone there?, next: done}}
";

/// A folder with manifests and a script.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self::with(SHOP)
    }

    fn with(flows: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("flows.yaml", flows);
        desk
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Plays a script: exit code and what is said, without the folder's name.
    fn play(&self, script: &str) -> (u8, String) {
        let script = self.write("script.yaml", script);
        self.run(Simulate { script: Some(script), ..self.simulate() }, "")
    }

    /// Talks by a pipe.
    fn talk(&self, lines: &str) -> String {
        let (code, said) = self.run(self.simulate(), lines);
        assert_eq!(code, 0, "{said}");
        said
    }

    fn simulate(&self) -> Simulate {
        let flows = vec![self.folder.path().to_owned()];
        Simulate { flows, script: None, record: None, now: None }
    }

    fn run(&self, args: Simulate, input: &str) -> (u8, String) {
        let mut out = Vec::new();
        let mut terminal = Terminal {
            input: Box::new(Cursor::new(input.to_owned())),
            out: Box::new(&mut out),
            has_prompt: false,
            has_colour: false,
        };
        let code = simulate::run(&args, &mut terminal).unwrap();
        drop(terminal);
        let folder = format!("{}/", self.folder.path().display());
        (code, String::from_utf8(out).unwrap().replace(&folder, ""))
    }
}
