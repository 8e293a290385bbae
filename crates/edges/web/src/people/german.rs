//! What is written in German.

use super::phrases::{Message, PagePhrases};

pub(super) const PHRASES: PagePhrases = PagePhrases {
    skip: "Zum Inhalt",
    languages: "Sprache",
    pages: "Seiten",
    unnamed: "Kontosicherheit",
    this_site: "diese Seite",
    at_this_site: "dieser Seite",
    home: "Kontosicherheit",
    check: "Nachricht prüfen",
    confirmed: "Diese Nachricht ist von uns",
    unconfirmed: "Wir können diese Nachricht nicht bestätigen",
    disputed: "Danke für Ihren Hinweis",
    notices: "Sicherheitsnachrichten",
    forgot: "Passwort vergessen?",
    affected: "Bin ich betroffen?",
    mailed: "Sehen Sie in Ihr Postfach",
    choose: "Wählen Sie ein neues Passwort",
    choose_again: "Bitte versuchen Sie es noch einmal",
    changed: "Ihr Passwort ist geändert",
    dead: "Dieser Link funktioniert nicht",
    code: "Code der Nachricht",
    code_hint: "16 Buchstaben und Ziffern, zum Beispiel 7KQ4-M2XD-93TP-0V5A. \
                Groß oder klein, mit oder ohne Striche.",
    address: "E-Mail-Adresse",
    address_hint: "Die Adresse, an die die Nachricht kam.",
    no_such_pair: "Wir haben keine Nachricht mit diesem Code für diese Adresse.",
    check_promise: "Was Sie eingeben, dient nur dieser Antwort. Auf dieser Seite gibt es kein \
                    Feld für ein Passwort: Eine Seite, die danach fragt, ist nicht diese.",
    check_button: "Nachricht prüfen",
    dispute_button: "Das stimmt nicht",
    name: "E-Mail-Adresse oder Benutzername",
    name_hint: "Das, womit Sie sich anmelden.",
    own_address_hint: "Die Adresse, die zu Ihrem Konto gehört.",
    link_button: "Link schicken",
    answer_button: "Antwort schicken",
    again_button: "Noch einmal schicken",
    password: "Neues Passwort",
    password_hint: |chars_min| {
        format!(
            "Mindestens {chars_min} Zeichen. Gut sind drei oder vier Wörter, die nichts \
             miteinander zu tun haben."
        )
    },
    password_again: "Noch einmal dasselbe",
    password_again_hint: "Ein Tippfehler würde Sie aussperren.",
    password_button: "Neues Passwort setzen",
    about: "Worum es geht",
    subject: "Betreff",
    sent_text: "Was wir geschrieben haben",
    dated: "Datum",
    status: "Zustellung",
    reset_required: "Wir haben ein Passwort abgeschaltet, das in gestohlenen Daten steht, und \
                     bitten um ein neues.",
    reset_link: "Jemand hat einen Link für ein neues Passwort angefordert.",
    reset_done: "Ein Passwort wurde geändert.",
    exposure_answer: "Jemand hat gefragt, ob das Passwort eines Kontos in gestohlenen Daten steht.",
    waiting: "Unterwegs: Der Mailserver hat sie noch nicht angenommen.",
    sent: "Verschickt. Der Mailserver hat sie angenommen.",
    refused: "Nicht zugestellt: Der Mailserver hat sie nicht angenommen.",
    uncertain: "Verschickt, aber der Mailserver hat den Empfang nicht bestätigt.",
    not_found: Message {
        title: "Diese Seite gibt es nicht",
        text: "Vielleicht ist die Adresse vertippt, oder die Seite ist nicht mehr da.",
    },
    wrong_method: Message {
        title: "So lässt sich diese Seite nicht öffnen",
        text: "Bitte beginnen Sie noch einmal beim Formular.",
    },
    stranger: Message {
        title: "Dieses Formular kam nicht von unserer Seite",
        text: "Eine andere Seite hat es in Ihrem Namen abgeschickt, oder Ihr Browser verbirgt, \
               woher es kam. Bitte öffnen Sie unsere Seite selbst und füllen Sie dort das \
               Formular aus.",
    },
    too_many: Message {
        title: "Zu viele Versuche",
        text: "Aus Ihrem Netz kamen in kurzer Zeit zu viele Formulare. Bitte warten Sie eine \
               Minute und versuchen Sie es dann noch einmal.",
    },
    unwell: Message {
        title: "Wir können gerade nicht antworten",
        text: "Das liegt an uns und sagt nichts über Ihre Nachricht oder Ihr Konto. Bitte \
               versuchen Sie es in ein paar Minuten noch einmal.",
    },
};
