use super::*;

const ALICE: u64 = 10;
const BOB: u64 = 20;
const CAROL: u64 = 30;

fn document(author: u64, to: u64, number: u32, text: &str) -> Document {
    Document {
        sides: [author.min(to), author.max(to)],
        author,
        writer: author,
        time: 1000 + number,
        position: number.into(),
        kinds: if text.is_empty() { 2 } else { 1 },
        sealed_at: 1000 + number,
        key: u64::from(number) << 40,
        text: Text::of(text),
    }
}

fn documents() -> Vec<Document> {
    vec![
        document(ALICE, BOB, 1, "明天去北京大学开会"),
        document(BOB, ALICE, 2, "北京很冷 take a coat"),
        document(ALICE, CAROL, 3, "東京タワー and 北京"),
        document(BOB, CAROL, 4, "北京 without alice"),
        document(ALICE, BOB, 5, "서울에서 만나요"),
        document(BOB, ALICE, 6, "a coat, take it"),
        document(ALICE, BOB, 7, ""),
    ]
}

fn wanted(phrases: &[&str]) -> Query {
    let phrases = phrases.iter().filter_map(|word| Phrase::of(word)).collect();
    Query { viewer: ALICE, phrases, until: u32::MAX, ..Query::default() }
}

fn opened(documents: &[Document]) -> Index {
    Index::open(&Index::build(documents.iter()).unwrap()).unwrap()
}

fn found(index: &Index, query: &Query) -> Vec<u64> {
    let mut hits = index.search(query, 100).unwrap();
    hits.sort_unstable();
    hits.iter().map(|hit| hit.position).collect()
}

#[test]
fn an_index_finds_what_the_query_finds_without_one() {
    let documents = documents();
    let index = opened(&documents);
    let both = |query: &Query| {
        let without: Vec<u64> =
            documents.iter().filter(|one| query.matches(one)).map(|one| one.position).collect();
        assert_eq!(found(&index, query), without, "{query:?}");
        without
    };
    for (query, expected) in [
        (wanted(&["北京"]), vec![1, 2, 3]),
        (wanted(&["京"]), vec![1, 2, 3]),
        (wanted(&["北京大学"]), vec![1]),
        (wanted(&["北大"]), vec![]),
        (wanted(&["take a coat"]), vec![2]),
        (wanted(&["coat", "东京", "서울"]), vec![2, 5, 6]),
        (Query { wants_all: true, ..wanted(&["coat", "北京"]) }, vec![2]),
        (Query { peer: Some(CAROL), ..wanted(&["北京"]) }, vec![3]),
        (Query { authors: vec![BOB], ..wanted(&["北京", "coat"]) }, vec![2, 6]),
        (Query { authors: vec![BOB, CAROL], ..wanted(&[]) }, vec![2, 6]),
        (Query { kinds: 2, ..wanted(&[]) }, vec![7]),
        (Query { kinds: 3, ..wanted(&["만나"]) }, vec![5]),
        (Query { from: 1002, until: 1002, ..wanted(&["北京"]) }, vec![2]),
        (Query { viewer: CAROL, ..wanted(&["北京"]) }, vec![3, 4]),
        (Query { viewer: 99, ..wanted(&["北京"]) }, vec![]),
    ] {
        assert_eq!(both(&query), expected, "{query:?}");
    }
}

#[test]
fn the_latest_hits_are_kept() {
    let many: Vec<Document> = (0..20_000).map(|number| document(ALICE, BOB, number, "same")).collect();
    let index = opened(&many);
    let mut hits = index.search(&wanted(&["same"]), 3).unwrap();
    hits.sort_unstable();
    assert_eq!(hits.iter().map(|hit| hit.position).collect::<Vec<_>>(), [19_997, 19_998, 19_999]);
}

#[test]
fn what_is_gone_is_not_in_what_is_made_of_it() {
    let all = documents();
    let (first, second) = (opened(&all[..4]), opened(&all[4..]));
    let gone = Gone { authors: [BOB].into(), keys: [5 << 40].into(), sealed_before: 1002 };
    assert_eq!(first.count_gone(&gone).unwrap(), 3);
    assert_eq!(first.count_gone(&Gone::default()).unwrap(), 0);
    let (packed, count) = Index::merge(&[&first, &second], &gone).unwrap().unwrap();
    let merged = Index::open(&packed).unwrap();
    assert_eq!((count, merged.len()), (2, 2));
    assert_eq!(found(&merged, &wanted(&[])), [3, 7]);
    assert_eq!(found(&merged, &wanted(&["北京"])), [3]);
    // Not a word of it is left, not even in the dictionary.
    let inverted = merged.reader.inverted_index(merged.fields.words).unwrap();
    for (word, is_there) in [("東京", true), ("and", true), ("coat", false), ("学", false)] {
        let term = Term::from_field_text(merged.fields.words, word);
        assert_eq!(
            inverted.terms().get(term.serialized_value_bytes()).unwrap().is_some(),
            is_there,
            "{word}"
        );
    }
    let gone = Gone { sealed_before: u32::MAX, ..Gone::default() };
    assert!(Index::merge(&[&first, &second], &gone).unwrap().is_none());
    let (packed, count) = Index::merge(&[&first, &second], &Gone::default()).unwrap().unwrap();
    assert_eq!((count, found(&Index::open(&packed).unwrap(), &wanted(&["北京"]))), (7, vec![1, 2, 3]));
}

#[test]
fn bytes_that_are_no_index_are_refused() {
    let packed = Index::build(documents().iter()).unwrap();
    assert!(Index::open(&[]).is_err());
    assert!(Index::open(b"no index").is_err());
    assert!(Index::open(&packed[..packed.len() / 2]).is_err());
}
