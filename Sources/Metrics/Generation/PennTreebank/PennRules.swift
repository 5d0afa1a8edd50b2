/// The kinds of tokens, in the order in which the first of two equally long matches wins.
enum PennRules {
    static let all: [LexicalRule] =
        PennWords.assimilations + [PennSymbols.markup] + PennSymbols.dashes + PennWords.words
        + PennAddresses.rules + PennWords.contractions + PennNumbers.plain + PennWords.special
        + PennNumbers.currency + PennAbbreviations.rules + PennWords.leftovers
        + [PennNumbers.telephone] + PennSymbols.quotes + PennSymbols.faces + PennSymbols.marks
        + PennWords.compounds + PennSymbols.apostrophes + PennSymbols.leftovers
}
