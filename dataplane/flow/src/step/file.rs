//! Files, as they go out.

use wigwag_domain::{Body, MediaKind, MediaSource, OutboundMedia, cut};

use super::{
    Failure, ProblemKind,
    run::{Run, Then},
};
use crate::{
    program::{Delivery, File, FileSource, NodeIndex},
    question::CAPTION,
    template::{Within, Words},
};

/// The longest URL or id of a file, in UTF-16 units.
pub(super) const SOURCE: usize = 2_000;
/// The longest name of a document, in UTF-16 units.
const FILENAME: usize = 240;

impl Run<'_> {
    pub(super) fn send_file(
        &mut self,
        file: &File,
        caption: Option<&Words>,
        delivery: &Delivery,
        next: Option<NodeIndex>,
    ) -> Result<Then, Failure> {
        let fallback = self.approved(delivery)?;
        let Some(mut media) = self.file(file)? else {
            return self.unsaid(delivery, "the file's url or id came out empty: give the node an onFail");
        };
        if let Some(caption) = caption
            && matches!(media.kind, MediaKind::Image | MediaKind::Video | MediaKind::Document)
        {
            media.caption = self.line(Some(caption), "caption", CAPTION)?;
        }
        self.send(Body::Media(media), fallback, &[]);
        Ok(Then::Go(next))
    }

    /// A file with the values in its URL or id; none where that came out empty.
    pub(super) fn file(&mut self, file: &File) -> Result<Option<OutboundMedia>, Failure> {
        let (field, source) = match &file.source {
            FileSource::Url(template) => ("url", template),
            FileSource::Id(template) => ("id", template),
        };
        // Values within a URL are encoded; a URL that is one value as a whole is not.
        let within = match &file.source {
            FileSource::Url(url) if !url.literal_start().is_empty() => Within::Url,
            _ => Within::Text,
        };
        let written = self.render_whole(source, field, SOURCE, within)?;
        let written = cut(written.trim(), SOURCE).into_owned();
        if written.is_empty() {
            let message = format!("the {field} came out empty, and the file was not sent");
            self.problem(field, ProblemKind::Empty, message);
            return Ok(None);
        }
        let filename = match (&file.filename, file.kind) {
            (Some(name), MediaKind::Document) => {
                Some(self.render(name, "filename", FILENAME)?).filter(|name| !name.trim().is_empty())
            }
            _ => None,
        };
        let source = match file.source {
            FileSource::Url(_) => MediaSource::Url(written),
            FileSource::Id(_) => MediaSource::Id(written),
        };
        Ok(Some(OutboundMedia { kind: file.kind, source, caption: None, filename }))
    }
}
