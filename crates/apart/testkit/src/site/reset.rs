use serde_json::Value;

use super::DjangoSite;

impl DjangoSite {
    /// Asks for a new password as on the site's own page "Forgot password?": Django mails a link
    /// to every account of this address that has a usable password, through the server on this
    /// port of this host.
    ///
    /// A mail that the server refuses is lost without a word, as on a real site.
    ///
    /// # Panics
    /// If Django fails, or takes the text for no address.
    pub fn request_reset(&self, address: &str, smtp_port: u16) {
        let code = include_str!("request_reset.py");
        let _ = self.django(code, &[address, &smtp_port.to_string()]);
    }

    /// Follows the link in a mail of [`DjangoSite::request_reset`] and chooses a new password, as
    /// a browser would; whether Django says that it is done. A used link, or one of before the
    /// last change of the hash, is of no use.
    ///
    /// # Panics
    /// If the mail holds no link, or Django fails.
    #[must_use]
    pub fn reset_by_mail(&self, mail: &[u8], new_password: &str) -> bool {
        let mail = String::from_utf8_lossy(mail);
        self.django(include_str!("reset_by_mail.py"), &[&mail, new_password]) == Value::Bool(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        postgres,
        site::{SiteKind, SiteOptions, SitePerson},
        smtp::SmtpServer,
    };

    const SEAL: &str = "
import secrets
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
User.objects.filter(pk=arguments[0]).update(password=make_password(secrets.token_hex(32)))
";

    #[test]
    fn whoever_is_sealed_comes_back_by_mail() {
        let options = SiteOptions { accounts: 60, seed: 4 };
        let database = postgres().database();
        for kind in [SiteKind::Sqlite, SiteKind::Postgres(&database)] {
            let made = DjangoSite::make(kind, options);
            let site = made.copy();
            check(&site);
            let password = sealed_person(&made).password.as_deref().unwrap();
            assert!(made.authenticate(&sealed_person(&made).username, password));
        }
    }

    fn check(site: &DjangoSite) {
        let person = sealed_person(site);
        let old = person.password.as_deref().unwrap();
        let server = SmtpServer::start(&[]);
        let _ = site.django(SEAL, &[&person.id]);
        assert!(!site.authenticate(&person.username, old));

        site.request_reset(&person.email, server.port());
        let _ = site.django(SEAL, &[&person.id]);
        site.request_reset(&person.email, server.port());
        let taken = server.taken();
        let [early, mail] = &taken[..] else { panic!("two mails, not {}", taken.len()) };
        assert_eq!(mail.recipients, [person.email.as_str()]);
        assert!(!site.reset_by_mail(&early.bytes, "a link of before the hash changed"));
        assert!(site.reset_by_mail(&mail.bytes, "a new and long one"));
        assert!(!site.reset_by_mail(&mail.bytes, "the link a second time"));
        let name = person.username.as_str();
        let tried = [(name, old), (name, "a new and long one"), (name, "the link a second time")];
        assert_eq!(site.authenticate_all(&tried), [false, true, false]);

        let silent = site.truth.no_password.first().unwrap();
        site.request_reset(&site.truth.person(silent).email, server.port());
        site.request_reset("nobody@example.org", server.port());
        assert_eq!(server.taken().len(), 2);
    }

    /// Somebody whose address is theirs alone.
    fn sealed_person(site: &DjangoSite) -> &SitePerson {
        let mut people = site.truth.people.iter();
        people.find(|person| person.kind == "plain").unwrap()
    }
}
