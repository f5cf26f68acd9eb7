// Owns what names of RDF, RDFS and OWL are called here, and how IRIs become names.
// Refuses to know rules and their syntaxes.

/** `local`: the part of an IRI behind the last `#`, `/` or `:`; `iri`: all of it. */
export type NameStyle = 'local' | 'iri';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const RDFS = 'http://www.w3.org/2000/01/rdf-schema#';
const OWL = 'http://www.w3.org/2002/07/owl#';
export const XSD = 'http://www.w3.org/2001/XMLSchema#';
const SWAP = 'http://www.w3.org/2000/10/swap/';

/** Prefixes that need not be declared. */
export const KNOWN_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['rdf', RDF],
  ['rdfs', RDFS],
  ['owl', OWL],
  ['xsd', XSD],
  ['math', `${SWAP}math#`],
  ['string', `${SWAP}string#`],
  ['log', `${SWAP}log#`],
  ['list', `${SWAP}list#`],
  ['time', `${SWAP}time#`],
]);

/** The vocabulary of schemas, as the built-in rule sets read it. */
export const VOCABULARY: ReadonlyMap<string, string> = new Map([
  [`${RDF}type`, 'is a'],
  [`${RDFS}subClassOf`, 'subclass of'],
  [`${RDFS}subPropertyOf`, 'subproperty of'],
  [`${RDFS}domain`, 'domain'],
  [`${RDFS}range`, 'range'],
  [`${RDFS}Class`, 'class'],
  [`${OWL}Class`, 'class'],
  [`${RDF}Property`, 'property'],
  [`${OWL}sameAs`, 'same as'],
  [`${OWL}differentFrom`, 'different from'],
  [`${OWL}inverseOf`, 'inverse of'],
  [`${OWL}equivalentClass`, 'equivalent class'],
  [`${OWL}equivalentProperty`, 'equivalent property'],
  [`${OWL}disjointWith`, 'disjoint with'],
  [`${OWL}complementOf`, 'complement of'],
  [`${OWL}propertyDisjointWith`, 'property disjoint with'],
  [`${OWL}onProperty`, 'on property'],
  [`${OWL}someValuesFrom`, 'some values from'],
  [`${OWL}allValuesFrom`, 'all values from'],
  [`${OWL}hasValue`, 'has value'],
  [`${OWL}maxCardinality`, 'max cardinality'],
  [`${OWL}maxQualifiedCardinality`, 'max qualified cardinality'],
  [`${OWL}onClass`, 'on class'],
  [`${OWL}intersectionOf`, 'intersection of'],
  [`${OWL}unionOf`, 'union of'],
  [`${OWL}oneOf`, 'one of'],
  [`${OWL}propertyChainAxiom`, 'property chain'],
  [`${OWL}hasKey`, 'has key'],
  [`${OWL}members`, 'axiom members'],
  [`${OWL}distinctMembers`, 'axiom members'],
  [`${OWL}AllDifferent`, 'all different'],
  [`${OWL}AllDisjointClasses`, 'all disjoint classes'],
  [`${OWL}AllDisjointProperties`, 'all disjoint properties'],
  [`${OWL}sourceIndividual`, 'source individual'],
  [`${OWL}assertionProperty`, 'assertion property'],
  [`${OWL}targetIndividual`, 'target individual'],
  [`${OWL}targetValue`, 'target value'],
  [`${RDF}first`, 'first of list'],
  [`${RDF}rest`, 'rest of list'],
  [`${RDF}nil`, 'empty list'],
  [`${OWL}TransitiveProperty`, 'transitive property'],
  [`${OWL}SymmetricProperty`, 'symmetric property'],
  [`${OWL}AsymmetricProperty`, 'asymmetric property'],
  [`${OWL}IrreflexiveProperty`, 'irreflexive property'],
  [`${OWL}FunctionalProperty`, 'functional property'],
  [`${OWL}InverseFunctionalProperty`, 'inverse functional property'],
  [`${OWL}Thing`, 'thing'],
  [`${OWL}Nothing`, 'nothing'],
]);

/** Names of IRIs inside one document. Two IRIs never share a name. */
export class IriNames {
  readonly #style: NameStyle;
  readonly #iris = new Map<string, string>();
  constructor(style: NameStyle) {
    this.#style = style;
  }
  /** Throws RangeError when another IRI of the document has the same name, or none can be made. */
  nameOf(iri: string): string {
    const known = VOCABULARY.get(iri);
    const name = known ?? (this.#style === 'iri' ? iri : localName(iri));
    if (name === '') throw new RangeError(`<${iri}> has no local name; ask for "iri" names`);
    const other = this.#iris.get(name);
    if (known === undefined && other !== undefined && other !== iri)
      throw new RangeError(`<${iri}> and <${other}> have the same local name ${JSON.stringify(name)}; ask for "iri" names, or rename one`);
    if (known === undefined) this.#iris.set(name, iri);
    return name;
  }
}
function localName(iri: string): string {
  const local = /[^#/:]*$/u.exec(iri)?.[0] ?? '';
  try {
    return decodeURIComponent(local);
  } catch {
    return local;
  }
}
