//! Messages as a customer sees them, one line each:
//!
//! ```text
//! Menú | ¿Qué quieres? | Abierto hasta las 20 [1 Comprar] [2 Salir]
//! ¿Qué te apetece leer? (Ver estantes) [1 Novela: Historias largas] [2 Poesía: Versos]
//! [image https://shop.example/cat.png "Nuestro catálogo"]
//! [template order_update es: Ana, 42] [1 yes]
//! Elige día y hora. [form "Pedir cita"]
//! ```

use wigwag_domain::{
    Body, Choice, FormMessage, Header, MediaKind, MediaSource, OutboundMedia, Tap, TapKind, TemplateComponent,
    TemplateMessage, TemplateValue,
};

/// A message in one line: runs of white space are a space.
pub(super) fn line(body: &Body) -> String {
    let mut words = match body {
        Body::Text { text } => text.clone(),
        Body::Buttons { header, text, footer, .. } => {
            let header = header.as_ref().map(|header| match header {
                Header::Text(text) => text.clone(),
                Header::Media(media) => file(media),
            });
            parts(header.as_ref(), text, footer.as_ref())
        }
        Body::List { header, text, footer, button, .. } => {
            format!("{} ({button})", parts(header.as_ref(), text, footer.as_ref()))
        }
        Body::Media(media) => file(media),
        Body::Template(message) => template(message),
        Body::Form(FormMessage { header, text, footer, cta, .. }) => {
            format!("{} [form \"{cta}\"]", parts(header.as_ref(), text, footer.as_ref()))
        }
    };
    for (place, tap) in taps(body).iter().enumerate() {
        let description = tap.description.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        words.push_str(&format!(" [{} {}{description}]", place + 1, tap.title));
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What can be tapped, in the order in which it is shown. A template tells no titles: what comes back stands for them.
pub(super) fn taps(body: &Body) -> Vec<Tap> {
    let tap = |kind| {
        move |choice: &Choice| Tap {
            kind,
            id: choice.id.clone(),
            title: choice.title.clone(),
            description: choice.description.clone(),
        }
    };
    match body {
        Body::Buttons { buttons, .. } => buttons.iter().map(tap(TapKind::ButtonReply)).collect(),
        Body::List { rows, .. } => rows.iter().map(tap(TapKind::ListReply)).collect(),
        Body::Template(message) => message
            .parameters
            .iter()
            .filter_map(|parameter| {
                let (TemplateComponent::QuickReply(_), TemplateValue::Text(id)) =
                    (parameter.component, &parameter.value)
                else {
                    return None;
                };
                let title = id.rsplit_once('~').map_or(id.as_str(), |(option, _)| option).to_owned();
                Some(Tap { kind: TapKind::QuickReply, id: id.clone(), title, description: None })
            })
            .collect(),
        Body::Text { .. } | Body::Media(_) | Body::Form(_) => vec![],
    }
}

fn parts(header: Option<&String>, text: &str, footer: Option<&String>) -> String {
    let parts = [header.map(String::as_str), Some(text), footer.map(String::as_str)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" | ")
}

fn template(message: &TemplateMessage) -> String {
    let TemplateMessage { name, language, parameters } = message;
    let shown = parameters.iter().filter(|one| !matches!(one.component, TemplateComponent::QuickReply(_)));
    let values: Vec<_> = shown
        .map(|parameter| match &parameter.value {
            TemplateValue::Text(text) => text.clone(),
            TemplateValue::Media(media) => source(media).to_owned(),
        })
        .collect();
    match values.is_empty() {
        true => format!("[template {name} {language}]"),
        false => format!("[template {name} {language}: {}]", values.join(", ")),
    }
}

fn file(media: &OutboundMedia) -> String {
    let kind = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio | MediaKind::Voice => "audio",
        MediaKind::Document => "document",
        MediaKind::Sticker => "sticker",
    };
    let caption = media.caption.as_ref().map(|caption| format!("\"{caption}\""));
    let words = [Some(kind.to_owned()), Some(source(media).to_owned()), media.filename.clone(), caption];
    format!("[{}]", words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn source(media: &OutboundMedia) -> &str {
    match &media.source {
        MediaSource::Url(url) => url,
        MediaSource::Id(id) => id,
    }
}

#[cfg(test)]
mod tests {
    use wigwag_domain::TemplateParameter;

    use super::*;

    fn choice(id: &str, title: &str, description: Option<&str>) -> Choice {
        Choice { id: id.to_owned(), title: title.to_owned(), description: description.map(str::to_owned) }
    }

    #[test]
    fn every_sort_of_message_is_one_line() {
        let picture = OutboundMedia {
            kind: MediaKind::Image,
            source: MediaSource::Url("https://x/y.png".to_owned()),
            caption: None,
            filename: None,
        };
        let captioned = OutboundMedia { caption: Some("Mira".to_owned()), ..picture.clone() };
        let value = |component, value| TemplateParameter { component, name: None, value };
        let update = TemplateMessage {
            name: "order_update".to_owned(),
            language: "es".to_owned(),
            parameters: vec![
                value(TemplateComponent::Header, TemplateValue::Media(picture.clone())),
                value(TemplateComponent::Body, TemplateValue::Text("42".to_owned())),
                value(TemplateComponent::QuickReply(0), TemplateValue::Text("yes~0123456789ab".to_owned())),
            ],
        };
        let form = FormMessage {
            header: None,
            text: "Elige día.".to_owned(),
            footer: Some("Gratis".to_owned()),
            cta: "Pedir cita".to_owned(),
            flow_id: "1".to_owned(),
            draft: false,
            screen: None,
            data: None,
            token: "t".to_owned(),
        };
        for (body, expected) in [
            (Body::Text { text: "Hola,\n  Ana".to_owned() }, "Hola, Ana"),
            (
                Body::Buttons {
                    header: Some(Header::Media(picture)),
                    text: "¿Qué?".to_owned(),
                    footer: Some("Hasta las 20".to_owned()),
                    buttons: vec![choice("a", "Comprar", None), choice("b", "Salir", None)],
                },
                "[image https://x/y.png] | ¿Qué? | Hasta las 20 [1 Comprar] [2 Salir]",
            ),
            (
                Body::List {
                    header: Some("Menú".to_owned()),
                    text: "¿Qué?".to_owned(),
                    footer: None,
                    button: "Ver".to_owned(),
                    rows: vec![choice("a", "Novela", Some("Larga")), choice("b", "Otra", None)],
                },
                "Menú | ¿Qué? (Ver) [1 Novela: Larga] [2 Otra]",
            ),
            (Body::Media(captioned), "[image https://x/y.png \"Mira\"]"),
            (Body::Template(update), "[template order_update es: https://x/y.png, 42] [1 yes]"),
            (Body::Form(form), "Elige día. | Gratis [form \"Pedir cita\"]"),
        ] {
            assert_eq!(line(&body), expected);
        }
    }
}
