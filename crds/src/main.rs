//! Prints the CustomResourceDefinitions, or writes them as files into the folder that is named, and the tables of fields
//! into a page (`make crds`).

use std::{env, fs, io::Write, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let (folder, page) = (arguments.next(), arguments.next());
    for (name, definition) in wigwag_crds::definitions() {
        let yaml = wigwag_crds::manifest::to_yaml(&definition)?;
        match &folder {
            Some(folder) => fs::write(Path::new(folder).join(name), yaml)?,
            None => writeln!(std::io::stdout(), "---\n{yaml}")?,
        }
    }
    if let Some(page) = page {
        let filled = wigwag_crds::reference::fill(&fs::read_to_string(&page)?)?;
        fs::write(page, filled)?;
    }
    Ok(())
}
