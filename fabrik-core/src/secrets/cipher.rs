//! Encryption of secrets at rest: XChaCha20-Poly1305 with a random nonce per value.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Value, to_wire};

const NONCE: usize = 24;
const CONTEXT: &[u8] = b"fabrik-state-1";

/// A 256-bit key. Never printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A key from its bytes.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// A fresh key.
    ///
    /// # Errors
    /// Of the random source.
    pub fn generate(entropy: &dyn Entropy) -> Result<Key> {
        let mut bytes = [0_u8; 32];
        entropy.fill(&mut bytes)?;
        Ok(Key::new(bytes))
    }

    /// A key from 64 hexadecimal digits, surrounding white space allowed.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`]; the text is not repeated.
    pub fn from_hex(text: &str) -> Result<Key> {
        let text = text.trim().as_bytes();
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let mut bytes = [0_u8; 32];
        let bad = || Error::new(ErrorKind::Invalid, "a state key is 64 hexadecimal digits");
        if text.len() != 64 {
            return Err(bad());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
            *byte = digit(pair[0]).ok_or_else(bad)? << 4 | digit(pair[1]).ok_or_else(bad)?;
        }
        Ok(Key::new(bytes))
    }

    /// The key as 64 hexadecimal digits, to be kept in a file only its owner can read.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(crate::hex::encode(self.0.as_ref()))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// Seals and opens secret values with one key.
#[derive(Clone, Debug)]
pub struct Cipher {
    key: Key,
    entropy: Arc<dyn Entropy>,
}

impl Cipher {
    /// A cipher.
    pub fn new(key: Key, entropy: Arc<dyn Entropy>) -> Cipher {
        Cipher { key, entropy }
    }

    /// Encrypts every secret inside the value.
    ///
    /// # Errors
    /// Of the random source.
    pub fn seal_in_place(&self, value: &mut Value) -> Result<()> {
        if value.has_secret() {
            *value = self.seal(value)?;
        }
        Ok(())
    }

    /// Decrypts every sealed secret inside the value.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] when the key does not fit.
    pub fn open_in_place(&self, value: &mut Value) -> Result<()> {
        if value.any(&|node| matches!(node, Value::Sealed(_))) {
            *value = value.rewrite(&mut |node| match node {
                Value::Sealed(bytes) => self.open(&bytes),
                other => Ok(other),
            })?;
        }
        Ok(())
    }

    fn seal(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::Secret(inner) => {
                // Expressions inside a secret keep their form; sealing text keeps exactly that.
                let clear = Zeroizing::new(
                    serde_json::to_vec(&**inner)
                        .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?,
                );
                Value::Sealed(self.encrypt(&clear)?.into())
            }
            Value::List(items) => Value::list(
                items
                    .iter()
                    .map(|item| self.seal(item))
                    .collect::<Result<Vec<_>>>()?,
            ),
            Value::Map(map) => Value::map(
                map.iter()
                    .map(|(key, item)| Ok((key.clone(), self.seal(item)?)))
                    .collect::<Result<Vec<_>>>()?,
            ),
            other => other.clone(),
        })
    }

    fn open(&self, sealed: &[u8]) -> Result<Value> {
        let clear = self.decrypt(sealed)?;
        let value: Value = serde_json::from_slice(&clear)
            .map_err(|_| Error::new(ErrorKind::Corrupt, "an encrypted value is damaged"))?;
        Ok(value.into_secret())
    }

    /// Encrypts bytes; the nonce is put in front.
    ///
    /// # Errors
    /// Of the random source.
    pub fn encrypt(&self, clear: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0_u8; NONCE];
        self.entropy.fill(&mut nonce)?;
        let cipher = XChaCha20Poly1305::new((&*self.key.0).into());
        let mut sealed = nonce.to_vec();
        sealed.extend(
            cipher
                .encrypt(
                    &XNonce::from(nonce),
                    Payload {
                        msg: clear,
                        aad: CONTEXT,
                    },
                )
                .map_err(|_| Error::new(ErrorKind::Unexpected, "encryption failed"))?,
        );
        Ok(sealed)
    }

    /// Decrypts what [`Cipher::encrypt`] made.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] when the key does not fit or the bytes were changed.
    pub fn decrypt(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let wrong = || {
            Error::new(ErrorKind::Auth, "the state key does not fit this state")
                .code(crate::codes::STATE_KEY)
                .hint("use the key this state was made with (`FABRIK_STATE_KEY`, `FABRIK_STATE_KEY_FILE`, or the key file in your data directory)")
        };
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or_else(wrong)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| wrong())?;
        XChaCha20Poly1305::new((&*self.key.0).into())
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: body,
                    aad: CONTEXT,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| wrong())
    }

    /// A keyed fingerprint: equal for equal values, tells nothing without the key.
    ///
    /// # Errors
    /// [`ErrorKind::Unresolved`] for a value with unknowns.
    pub fn fingerprint(&self, value: &Value) -> Result<String> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.key.0.as_ref())
            .map_err(|_| Error::new(ErrorKind::Unexpected, "fingerprint key"))?;
        mac.update(to_wire(value)?.to_string().as_bytes());
        Ok(crate::hex::encode(&mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    fn cipher(byte: u8) -> Cipher {
        Cipher::new(Key::new([byte; 32]), Arc::new(SeededEntropy::new(1)))
    }

    #[test]
    fn secrets_are_sealed_and_opened() {
        let value = Value::map([("a", Value::secret("canary")), ("b", Value::from("open"))]);
        let mut stored = value.clone();
        cipher(1).seal_in_place(&mut stored).unwrap();
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains("canary") && text.contains("open"), "{text}");
        let mut back: Value = serde_json::from_str(&text).unwrap();
        assert!(
            cipher(2).open_in_place(&mut back.clone()).is_err(),
            "another key must not open it"
        );
        cipher(1).open_in_place(&mut back).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn a_secret_map_with_secrets_in_it_is_sealed_too() {
        let inner = Value::map([("token", Value::secret("canary"))]);
        let mut stored = Value::list([inner]).into_secret();
        cipher(1).seal_in_place(&mut stored).unwrap();
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains("canary"), "{text}");
        cipher(1).open_in_place(&mut stored).unwrap();
        assert_eq!(stored.reveal().as_list().map(<[Value]>::len), Some(1));
    }

    #[test]
    fn keys_as_text() {
        let key = Key::new([0xab; 32]);
        assert_eq!(Key::from_hex(&key.to_hex()).unwrap().to_hex(), key.to_hex());
        assert!(Key::from_hex("zz").is_err());
        assert_eq!(format!("{key:?}"), "Key(secret)");
    }
}
