use crate::limits::LOGO_BYTES_MAX;

const PNG_START: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Elements of SVG that run, embed or lead elsewhere.
const REFUSED_ELEMENTS: &[&str] = &[
    "a",
    "animate",
    "animatemotion",
    "animatetransform",
    "audio",
    "discard",
    "embed",
    "feimage",
    "foreignobject",
    "handler",
    "iframe",
    "image",
    "listener",
    "object",
    "script",
    "set",
    "video",
];

/// What a logo's text may hold nowhere: entities could spell anything else out of our sight.
const REFUSED_TEXTS: &[&str] = &["<!entity", "<?xml-stylesheet", "@import", "javascript:"];

/// The site's logo: a PNG, or an SVG that nothing can be done with but to look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    bytes: Vec<u8>,
    kind: LogoKind,
}

/// What a logo is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogoKind {
    Png,
    Svg,
}

impl Logo {
    /// Takes the bytes of a file.
    ///
    /// # Errors
    /// [`LogoError`] if it is neither PNG nor SVG, too large, or an SVG that does more than draw.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(LogoError::TooLarge { found: bytes.len() });
        }
        if bytes.starts_with(PNG_START) {
            return Ok(Self { bytes, kind: LogoKind::Png });
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| LogoError::Unknown)?;
        check_svg(&text.to_ascii_lowercase())?;
        Ok(Self { bytes, kind: LogoKind::Svg })
    }

    pub(crate) const fn kind(&self) -> LogoKind {
        self.kind
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Refuses more than it must: an operator can simplify a logo, a visitor cannot.
fn check_svg(text: &str) -> Result<(), LogoError> {
    if !text.contains("<svg") {
        return Err(LogoError::Unknown);
    }
    let refused = REFUSED_TEXTS.iter().find(|refused| text.contains(**refused));
    let refused = refused.map(|found| (*found).to_owned());
    let refused = refused.or_else(|| refused_element(text)).or_else(|| refused_attribute(text));
    match refused.or_else(|| outside_url(text)) {
        None => Ok(()),
        Some(found) => Err(LogoError::MoreThanADrawing { found }),
    }
}

fn refused_element(text: &str) -> Option<String> {
    let names = text.split('<').skip(1).map(|tag| {
        let name = tag.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next();
        // A prefix can stand for the namespace of SVG, or of HTML.
        name.unwrap_or_default().rsplit(':').next().unwrap_or_default()
    });
    let mut refused = names.filter(|name| REFUSED_ELEMENTS.contains(name));
    refused.next().map(|name| format!("<{name}>"))
}

/// Handlers of events, and references to anything but a part of the drawing itself.
fn refused_attribute(text: &str) -> Option<String> {
    for (at, _) in text.match_indices('=') {
        let name = text[..at].trim_end().rsplit(|c: char| c.is_whitespace() || c == '"').next();
        let name = name.unwrap_or_default();
        let value = text[at + 1..].trim_start().trim_start_matches(['"', '\'']).trim_start();
        let is_handler = name.starts_with("on");
        let leads_out = (name.ends_with("href") || name == "src") && !value.starts_with('#');
        if is_handler || leads_out {
            return Some(name.to_owned());
        }
    }
    None
}

fn outside_url(text: &str) -> Option<String> {
    let outside = text.match_indices("url(").any(|(at, start)| {
        let inside = text[at + start.len()..]
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        !inside.starts_with('#')
    });
    outside.then(|| "url(".to_owned())
}

/// Why a file is no logo.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// Not what browsers show everywhere.
    #[error("it is neither a PNG nor an SVG")]
    Unknown,
    /// Each visitor would wait for it.
    #[error("it has {found} bytes, at most {LOGO_BYTES_MAX} are taken")]
    TooLarge {
        /// Its bytes.
        found: usize,
    },
    /// It could run, or fetch something from elsewhere.
    #[error("it holds `{found}`, and a logo may only draw: save it as plain SVG, or as PNG")]
    MoreThanADrawing {
        /// What it holds.
        found: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> Result<Logo, LogoError> {
        let xmlns = "xmlns=\"http://www.w3.org/2000/svg\"";
        Logo::new(format!("<?xml version=\"1.0\"?><svg {xmlns}>{inside}</svg>").into_bytes())
    }

    #[test]
    fn a_drawing_is_taken() {
        let drawing = "<defs><linearGradient id='g'/></defs><path fill=\"url(#g)\" d='M0 0'/>\
                       <use href=\"#g\"/><style>path { stroke: red }</style>";
        assert_eq!(svg(drawing).unwrap().kind(), LogoKind::Svg);
        let png = [PNG_START, b"rest"].concat();
        assert_eq!(Logo::new(png).unwrap().kind(), LogoKind::Png);
    }

    #[test]
    fn what_runs_or_leads_out_is_not() {
        let hostile = [
            "<script>1</script>",
            "<SCRIPT\n>",
            "<s:script/>",
            "<foreignObject/>",
            "<path onload='x'/>",
            "<path\nOnLoad = 'x'/>",
            "<path d=\"\"onclick='x'/>",
            "<use href='https://evil.test/#x'/>",
            "<use xlink:href='&#35;x'/>",
            "<image href='#x'/>",
            "<path fill='url(https://evil.test)'/>",
            "<path fill='url( \"//evil.test\")'/>",
            "<style>@import 'x'</style>",
            "<!DOCTYPE svg [<!ENTITY x 'y'>]>",
            "<a href='javascript:x'>",
            "<set/>",
        ];
        for inside in hostile {
            let refused = svg(inside);
            assert!(matches!(refused, Err(LogoError::MoreThanADrawing { .. })), "{inside}");
        }
    }

    #[test]
    fn other_files_are_no_logos() {
        assert_eq!(Logo::new(b"GIF89a".to_vec()), Err(LogoError::Unknown));
        assert_eq!(Logo::new(vec![0xff]), Err(LogoError::Unknown));
        let found = LOGO_BYTES_MAX + 1;
        assert_eq!(Logo::new(vec![0; found]), Err(LogoError::TooLarge { found }));
    }
}
