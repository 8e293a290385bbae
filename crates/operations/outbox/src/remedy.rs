use notice::Phase;

/// What an operator looks at when mail does not leave: by how far it came, and by the relay's
/// three digits if it answered.
#[must_use]
pub fn remedy(phase: Phase, code: Option<u32>) -> &'static str {
    match (phase, code) {
        (Phase::Hello, _) | (_, Some(504)) => {
            "set `smtp.ehlo_name` to the full name of this host in DNS"
        }
        (Phase::Authenticate, _) | (_, Some(530 | 534 | 535 | 538)) => {
            "look at `smtp.username`, `smtp.password_file` and `smtp.security`"
        }
        (Phase::Connect, _) => {
            "see that the relay runs, and that `smtp.host` and `smtp.port` name it"
        }
        (Phase::Tls, _) => {
            "look at the relay's certificate, at `smtp.ca_file`, `smtp.host` and `smtp.security`"
        }
        (Phase::Greeting, _) => {
            "look at the relay's log, and whether `smtp.port` and `smtp.security` belong together"
        }
        (Phase::Mail, _) => {
            "the relay must let this host send from `mail.bounces`, or from `mail.from` without it"
        }
        (Phase::Storing, _) => "see that `mail.folder` can be written to, and has space",
        (Phase::EndOfData, None) => {
            "the relay took the last byte and did not answer: look at its log, and at what it does \
             before it answers"
        }
        (
            Phase::Recipient | Phase::Data | Phase::Content | Phase::EndOfData | Phase::Closing,
            _,
        ) => {
            "the relay must take mail of this host for anybody: look at its log, at \
             `smtp.username` and at `smtp.ehlo_name`. Once it takes one mail, to whomever, those \
             whom it still will not have are given up"
        }
    }
}
