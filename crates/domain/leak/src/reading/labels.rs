//! Names that stand before a value, in whatever language the leak's software speaks.

/// What a labelled value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelRole {
    User,
    Password,
    Site,
    Software,
}

/// The role of a name, if it is known for one. Case, blanks and punctuation are of no account.
pub(super) fn role_of(label: &[u8]) -> Option<LabelRole> {
    let name = plain(label)?;
    ROLES
        .iter()
        .find(|(_, names)| names.split(' ').any(|known| known == name))
        .map(|(role, _)| *role)
}

/// Whether a name stands for users.
pub(super) fn is_user_label(label: &[u8]) -> bool {
    role_of(label) == Some(LabelRole::User)
}

/// Small letters and digits alone.
fn plain(label: &[u8]) -> Option<String> {
    let text = str::from_utf8(label).ok().filter(|text| text.len() <= LABEL_BYTES_MAX)?;
    Some(text.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect())
}

const LABEL_BYTES_MAX: usize = 64;

/// As malware that steals passwords, exports and dumps write them.
const ROLES: &[(LabelRole, &str)] = &[
    (
        LabelRole::User,
        "user username login userlogin loginname email mail emailaddress account u53rn4m3 логин почта \
         usuario usuário benutzername identifiant utente kullanıcıadı 用户名 账号",
    ),
    (
        LabelRole::Password,
        "password passwd pass pwd pw userpassword plaintext cleartext p455w0rd senha contraseña clave \
         motdepasse mdp passwort kennwort parola hasło heslo şifre пароль 密码 パスワード 비밀번호 wachtwoord \
         mậtkhẩu",
    ),
    (LabelRole::Site, "url ur1 host hostname website target"),
    (LabelRole::Software, "soft application browser storage profile"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_known_however_it_is_written() {
        for (label, role) in [
            ("Email", Some(LabelRole::User)),
            ("User Name", Some(LabelRole::User)),
            ("e-mail_address", Some(LabelRole::User)),
            ("ПАРОЛЬ", Some(LabelRole::Password)),
            ("[+] Password", Some(LabelRole::Password)),
            ("UR1", Some(LabelRole::Site)),
            ("SOFT", Some(LabelRole::Software)),
            ("Plan", None),
            ("", None),
        ] {
            assert_eq!(role_of(label.as_bytes()), role, "{label}");
        }
    }
}
