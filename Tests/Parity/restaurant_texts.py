"""Texts to score: the E2E challenge's references where they are at hand, sentences of our own
everywhere, and seeded perturbations of both, the same on every machine."""

import csv

from splitmix import SplitMix64

# Sentences written for these tests, in groups that say one thing.
OWN = [
    ["The Blue Door is a cheap pub by the river.", "By the river there's a cheap pub, The Blue Door.",
     "Looking for a low-priced pub? Try \"The Blue Door\" at the riverside!"],
    ["Anna's Kitchen serves Thai food for less than £20.", "You can't beat Anna's Kitchen: Thai food "
     "under £20.", "Thai dishes (below 20 pounds) are served at Anna's Kitchen."],
    ["It isn't family-friendly, but it's rated 5 out of 5.", "Rated 5/5; not for families.",
     "Customers rate it 5 out of 5... families aren't welcome."],
    ["Mr. Li's café, near St. Mary's, opens at 10.30 a.m. daily.", "Near St. Mary's, Mr. Li's café "
     "opens at half past ten.", "Mr. Li's cafe opens daily at 10:30am - it is close to St. Mary's."],
    ["The Inn offers fish 'n' chips at £20-25.", "Fish and chips are £20–£25 at The Inn.",
     "At The Inn, fish & chips cost twenty to twenty-five pounds."],
    ["They've a high customer rating.", "They have high customer ratings.", "Its rating is high."],
    ["Kids are welcome at Wok-n-Roll, a Chinese restaurant in the city centre.",
     "Wok-n-Roll is a kid friendly Chinese restaurant located in the centre of the city.",
     "In the city centre, the restaurant Wok-n-Roll (Chinese) welcomes kids."],
    ["U.K. visitors say \"we'll be back\".", "Visitors from the U.K. say they will return.",
     "British visitors: 'We will be back'."],
]

SIGNS = [".", ",", "!", "?", ";", ":", "...", " - ", "--", "(", ")", "\"", "'", "''", "`", "&", "£",
         "$", "%", "/", "..", "!!", "[", "]", "'s", "n't", "’", "“", "”", "–", "—", "€", "#", "*", "<",
         ">", "@", "_", "+", "=", "~", "é", "½", "²", "😀", "\u00a0", "...."]
PHRASES = ["cannot", "can't", "isn't", "it's", "they'll", "U.S.", "St. James", "Mr. Smith",
           "e.g. this", "£20-25", "less than £20", "5 out of 5", "3/5", "1 1/2", "10.30pm",
           "family-friendly", "and/or", "www.example.com", "me@example.com", "Dr. No", "No. 5", "R&B",
           "fish 'n' chips", "I'm", "we've", "o'clock", "Jan. 5", "a.m.", "P.M.", "gonna", "'twas",
           "Café", "20,000", ":)", "kids' menu", "rock-n-roll", "it.It", "A. The", "vs. it",
           "etc. And", "Rd. the", "1980s", "'90s"]


class Numbers(SplitMix64):
    def below(self, count):
        return self.next() % count

    def pick(self, items):
        return items[self.below(len(items))]


def e2e(path):
    """The references of a file of the challenge, grouped by meaning."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    groups = {}
    for meaning, text in rows:
        groups.setdefault(meaning, []).append(text)
    return list(groups.values())


def perturbed(text, numbers, others):
    """A text with up to four faults: words dropped, swapped, replaced, repeated or cut off; signs and
    phrases put in; other case; another text; nothing at all."""
    for _ in range(numbers.below(5)):
        words = text.split(" ")
        place = numbers.below(len(words))
        kind = numbers.below(14)
        if kind == 0:
            words.pop(place)
        elif kind == 1:
            other = numbers.below(len(words))
            words[place], words[other] = words[other], words[place]
        elif kind == 2:
            words[place] = numbers.pick(numbers.pick(others).split(" "))
        elif kind == 3:
            words.insert(place, words[place])
        elif kind == 4:
            words.insert(place, numbers.pick(SIGNS))
        elif kind == 5:
            words[place] += numbers.pick(SIGNS)
        elif kind == 6:
            words[place] = numbers.pick(SIGNS) + words[place]
        elif kind == 7:
            words[place] = words[place].upper()
        elif kind == 8:
            words[place] = words[place].lower()
        elif kind == 9:
            words.insert(place, numbers.pick(PHRASES))
        elif kind == 10:
            words = numbers.pick(others).split(" ")
        elif kind == 11:
            words = words[: place + 1]
        elif kind == 12 and words[place]:
            letter = numbers.below(len(words[place]))
            words[place] = words[place][:letter] + words[place][letter + 1:]
        elif kind == 13 and numbers.below(4) == 0:
            words = []
        text = " ".join(words)
    return text


def segments(groups, seed, count=None):
    """Hypotheses and references: a perturbed reference of each group, group after group."""
    numbers = Numbers(seed)
    everything = [text for group in groups for text in group]
    chosen = [groups[i % len(groups)] for i in range(count or len(groups))]
    return [perturbed(numbers.pick(group), numbers, everything).strip() for group in chosen], chosen


def write(folder, hypotheses, references):
    """The two files that a scorer reads; the paths."""
    texts, others = folder / "hypotheses.txt", folder / "references.txt"
    texts.write_text("".join(text + "\n" for text in hypotheses), encoding="utf-8")
    others.write_text("\n".join("".join(line.strip() + "\n" for line in group)
                                for group in references), encoding="utf-8")
    return texts, others
