//! Files, as messages of their own and as headers (Meta, "Image messages", "Audio messages" and their siblings,
//! 2026-09). Meta fetches a link itself, once in 10 minutes, and answers with 131053 by receipt where it cannot.

use serde_json::{Value, json};
use wigwag_domain::{MediaKind, MediaSource, OutboundMedia};

use super::check::{adornment, fits, holds};
use crate::Unsendable;

/// Limits in characters.
mod limit {
    pub(super) const ID: usize = 256;
    /// As for Meta's other URLs; longer ones work nowhere.
    pub(super) const LINK: usize = 2000;
    pub(super) const CAPTION: usize = 1024;
    pub(super) const FILENAME: usize = 240;
}

/// A message of its own: the type, and what stands under the key of the same name.
pub(super) fn message(media: &OutboundMedia) -> Result<(&'static str, Value), Unsendable> {
    let key = key(media.kind);
    let mut file = file(key, media)?;
    if let Some(caption) = adornment(media.caption.as_deref()) {
        let field = format!("{key}.caption");
        let allowed = matches!(media.kind, MediaKind::Image | MediaKind::Video | MediaKind::Document);
        holds(allowed, field.clone(), "is not allowed: send the words as a message of their own")?;
        fits(field, caption, limit::CAPTION)?;
        file["caption"] = json!(caption);
    }
    if media.kind == MediaKind::Voice {
        file["voice"] = json!(true);
    }
    Ok((key, file))
}

/// A header: `{"type": "image", "image": {…}}`. `at` is where it stands in the request.
pub(super) fn parameter(at: &str, media: &OutboundMedia) -> Result<Value, Unsendable> {
    let key = key(media.kind);
    let allowed = matches!(media.kind, MediaKind::Image | MediaKind::Video | MediaKind::Document);
    holds(allowed, format!("{at}.type"), "must be image, video or document")?;
    let at = format!("{at}.{key}");
    let bare = adornment(media.caption.as_deref()).is_none();
    holds(bare, format!("{at}.caption"), "is not allowed in a header: write the words into the text")?;
    Ok(json!({"type": key, key: file(&at, media)?}))
}

/// Where Meta finds it, and a document's name.
fn file(at: &str, media: &OutboundMedia) -> Result<Value, Unsendable> {
    let mut file = match &media.source {
        MediaSource::Id(id) => {
            fits(format!("{at}.id"), id, limit::ID)?;
            json!({"id": id})
        }
        MediaSource::Url(url) => {
            let field = format!("{at}.link");
            fits(field.clone(), url, limit::LINK)?;
            holds(is_link(url), field, "is no URL that Meta can fetch: write https://host/path, spaces as %20")?;
            json!({"link": url})
        }
    };
    if let Some(name) = adornment(media.filename.as_deref()) {
        let field = format!("{at}.filename");
        holds(media.kind == MediaKind::Document, field.clone(), "is for documents only: leave it out")?;
        fits(field, name, limit::FILENAME)?;
        file["filename"] = json!(name);
    }
    Ok(file)
}

fn is_link(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A voice message is an `audio` with a mark.
const fn key(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio | MediaKind::Voice => "audio",
        MediaKind::Document => "document",
        MediaKind::Sticker => "sticker",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KINDS: [MediaKind; 6] = [
        MediaKind::Image,
        MediaKind::Video,
        MediaKind::Audio,
        MediaKind::Voice,
        MediaKind::Document,
        MediaKind::Sticker,
    ];

    fn linked(kind: MediaKind) -> OutboundMedia {
        let source = MediaSource::Url("https://www.luckyshrub.com/assets/succulents/aloe.png".to_owned());
        OutboundMedia { kind, source, caption: None, filename: None }
    }

    fn captioned(kind: MediaKind, caption: &str) -> OutboundMedia {
        OutboundMedia { caption: Some(caption.to_owned()), ..linked(kind) }
    }

    fn field<T: std::fmt::Debug>(refusal: Result<T, Unsendable>) -> String {
        let refusal = refusal.unwrap_err().to_string();
        refusal.split_once(' ').unwrap().0.to_owned()
    }

    #[test]
    fn every_kind_is_written_as_metas_example_has_it() {
        let link = "https://www.luckyshrub.com/assets/succulents/aloe.png";
        let by_id = |kind, id: &str| OutboundMedia { source: MediaSource::Id(id.to_owned()), ..linked(kind) };
        let receipt = OutboundMedia {
            caption: Some("Lucky Shrub Invoice".to_owned()),
            filename: Some("lucky-shrub-invoice.pdf".to_owned()),
            ..by_id(MediaKind::Document, "1376223850470843")
        };
        for (media, key, content) in [
            (
                captioned(MediaKind::Image, "The best succulent ever?"),
                "image",
                json!({"link": link, "caption": "The best succulent ever?"}),
            ),
            (
                captioned(MediaKind::Video, "A succulent eclipse!"),
                "video",
                json!({"link": link, "caption": "A succulent eclipse!"}),
            ),
            (by_id(MediaKind::Audio, "1013859600285441"), "audio", json!({"id": "1013859600285441"})),
            (by_id(MediaKind::Voice, "1013859600285441"), "audio", json!({"id": "1013859600285441", "voice": true})),
            (
                receipt,
                "document",
                json!({"id": "1376223850470843", "caption": "Lucky Shrub Invoice", "filename": "lucky-shrub-invoice.pdf"}),
            ),
            (by_id(MediaKind::Sticker, "798882015472548"), "sticker", json!({"id": "798882015472548"})),
        ] {
            assert_eq!(message(&media).unwrap(), (key, content));
        }
    }

    #[test]
    fn only_images_videos_and_documents_take_a_caption_and_only_documents_a_name() {
        for kind in KINDS {
            let key = key(kind);
            let takes = matches!(kind, MediaKind::Image | MediaKind::Video | MediaKind::Document);
            let caption = message(&captioned(kind, "x"));
            assert_eq!(caption.is_ok(), takes, "{kind:?}");
            if !takes {
                assert_eq!(field(caption), format!("{key}.caption"));
            }
            let named = message(&OutboundMedia { filename: Some("a.pdf".to_owned()), ..linked(kind) });
            assert_eq!(named.is_ok(), kind == MediaKind::Document, "{kind:?}");
            assert_eq!(message(&captioned(kind, " ")).unwrap().1.get("caption"), None, "no words, no caption");
        }
        assert!(message(&captioned(MediaKind::Image, &"ñ".repeat(1024))).is_ok());
        assert_eq!(field(message(&captioned(MediaKind::Image, &"ñ".repeat(1025)))), "image.caption");
    }

    #[test]
    fn a_header_is_an_image_a_video_or_a_document_without_a_caption() {
        for kind in KINDS {
            let takes = matches!(kind, MediaKind::Image | MediaKind::Video | MediaKind::Document);
            assert_eq!(parameter("interactive.header", &linked(kind)).is_ok(), takes, "{kind:?}");
        }
        assert_eq!(field(parameter("h", &linked(MediaKind::Sticker))), "h.type");
        assert_eq!(field(parameter("h", &captioned(MediaKind::Image, "x"))), "h.image.caption");
    }

    #[test]
    fn a_link_must_be_one_that_meta_can_fetch() {
        for url in
            ["", "aloe.png", "ftp://x/y", "https://", "https:///y", "https://x/a b.png", "https://x/\n", "data:,x"]
        {
            let media = OutboundMedia { source: MediaSource::Url(url.to_owned()), ..linked(MediaKind::Image) };
            assert_eq!(field(message(&media)), "image.link", "{url:?}");
        }
        let nobody = OutboundMedia { source: MediaSource::Id(String::new()), ..linked(MediaKind::Image) };
        assert_eq!(field(message(&nobody)), "image.id");
    }
}
