//! A map of a few entries in a vector: small worlds are copied and compared by the million.

/// Entries in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + Ord, V> Few<K, V> {
    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.0.iter().find(|(other, _)| *other == key).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.0.iter_mut().find(|(other, _)| *other == key).map(|(_, value)| value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(key);
        let place = self.0.iter().filter(|(other, _)| *other < key).count();
        self.0.insert(place, (key, value));
    }

    pub(super) fn remove(&mut self, key: K) {
        self.0.retain(|(other, _)| *other != key);
    }

    pub(super) fn retain(&mut self, mut is_kept: impl FnMut(&V) -> bool) {
        self.0.retain(|(_, value)| is_kept(value));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.0.iter().map(|(key, _)| *key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}
