//! Prints the CustomResourceDefinitions, or writes them as files into the folder that is named (`make crds`).

use std::{env, fs, io::Write, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::args().nth(1);
    for (name, definition) in wigwag_crds::definitions() {
        let yaml = wigwag_crds::manifest::to_yaml(&definition)?;
        match &folder {
            Some(folder) => fs::write(Path::new(folder).join(name), yaml)?,
            None => writeln!(std::io::stdout(), "---\n{yaml}")?,
        }
    }
    Ok(())
}
