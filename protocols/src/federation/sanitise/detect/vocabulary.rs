//! The words of a text and what is known of each: given names, family names, streets, and words
//! that are never part of a name.
//!
//! The lists are of the commonest names of many countries and of our own making; they are short on
//! purpose, since a list can never be complete. Must not know how words follow each other.

/// A word and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) known: Known,
    /// Whether it begins with a capital letter.
    pub(super) is_capital: bool,
}

/// What is known of a word, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(u8);

impl Known {
    /// A given name.
    pub(super) const GIVEN: Self = Self(1);
    /// A family name.
    pub(super) const FAMILY: Self = Self(2);
    /// Also an everyday word.
    pub(super) const EVERYDAY: Self = Self(4);
    /// Never part of a name.
    pub(super) const NEVER: Self = Self(8);
    /// Ends the name of a street.
    pub(super) const STREET: Self = Self(16);
    /// Begins the name of a street.
    pub(super) const STREET_FIRST: Self = Self(32);
    /// Joins the parts of a name.
    pub(super) const PARTICLE: Self = Self(64);

    pub(super) fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

const GIVEN: &str = "james robert john michael david william richard joseph thomas christopher charles daniel matthew anthony donald steven andrew paul joshua kenneth kevin brian timothy ronald jason george edward jeffrey ryan jacob nicholas gary eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick jack dennis jerry tyler aaron jose adam nathan henry zachary douglas peter kyle noah ethan jeremy christian walter keith austin roger terry sean gerald carl dylan harold jordan jesse bryan lawrence arthur gabriel bruce logan billy joe alan juan elijah willie albert wayne randy mason vincent liam roy bobby caleb bradley russell lucas oliver leo felix max hugo emil anton otto karl hans jürgen wolfgang klaus stefan andreas matthias sebastian tobias florian lukas jonas jan lars sven erik nils bjorn olaf pierre jean jacques michel philippe alain bernard marcel louis antoine julien mathieu luc rene francois luca marco giovanni giuseppe antonio francesco alessandro andrea matteo lorenzo paolo roberto stefano carlos luis miguel javier manuel pedro diego fernando jorge rafael alejandro sergio pablo ricardo eduardo joao tiago bruno rui ivan dmitri sergei alexei nikolai vladimir mikhail boris oleg igor pavel piotr jakub tomasz krzysztof andrzej jozsef laszlo ahmed mohamed mohammed muhammad ali omar hassan hussein ibrahim yusuf mustafa khalid karim tariq amir reza raj ravi arjun rahul amit vijay sanjay anil sunil suresh ramesh krishna vikram aditya rohan wei jun ming hao chen li hiroshi takashi kenji haruto yuki satoshi akira minho jihoon nguyen kwame kofi chinedu emeka tunde sipho thabo mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura sharon cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna samantha katherine christine helen debra rachel carolyn janet maria catherine heather diane olivia julie joyce victoria ruth virginia lauren kelly christina joan evelyn judith andrea hannah megan cheryl jacqueline martha madison teresa gloria sara janice ann kathryn abigail sophia frances jean alice judy isabella julia grace amber denise danielle marilyn beverly charlotte natalie theresa diana brittany doris kayla alexis lori marie chloe zoe lucy ella mia ava amelia harriet eleanor beatrice clara ida greta ingrid astrid freya sigrid heidi ursula monika sabine petra claudia silke anke birgit karin susanne katrin lena leonie camille juliette margot sylvie nathalie isabelle sophie celine amelie giulia chiara francesca martina elena silvia paola valentina lucia carmen rosa ana isabel pilar dolores sofia camila valeria ines beatriz olga natalia svetlana tatiana irina ekaterina anastasia katarzyna agnieszka malgorzata zofia fatima aisha khadija zainab leila layla noor amina yasmin maryam priya anjali neha pooja kavita sunita lakshmi deepa mei ling xiu yan sakura aiko naomi keiko soojin jiwoo linh amara ngozi zanele thandiwe grace mark frank rose faith hope joy will bill rob dan tom tim jim bob mike steve dave chris nick sam ben alex kate liz beth sue meg jenny katie jill kim pat lee ray dean drew neil ian craig colin graham stuart nigel simon martin owen rhys gareth ewan angus hamish fiona siobhan aoife niamh ciara declan conor ada grace edith mabel nora vera iris ivy opal pearl ruby hazel violet daisy lily summer autumn dawn april june";

const FAMILY: &str = "smith johnson williams jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore jackson martin perez thompson harris sanchez clark ramirez lewis robinson allen wright scott torres nguyen flores adams nelson baker hall rivera campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson brooks chavez bennett gray mendoza ruiz hughes alvarez castillo sanders patel myers foster jimenez powell jenkins perry russell sullivan coleman butler henderson barnes gonzales fisher vasquez simmons romero jordan patterson hamilton graham reynolds griffin wallace moreno cole hayes bryant herrera gibson ellis tran medina stevens murray castro marshall owens harrison fernandez mcdonald kennedy wells vargas henry freeman webb tucker guzman burns crawford olson simpson porter hunter gordon mendez silva shaw snyder mason dixon munoz hunt hicks holmes palmer wagner robertson gardner carlson obrien schmidt schneider fischer weber meyer becker schulz hoffmann schäfer koch bauer richter klein wolf schröder neumann schwarz zimmermann braun krüger hofmann hartmann lange werner krause lehmann müller huber steiner dubois durand leroy moreau simon laurent lefebvre michel bertrand roux vincent fournier girard bonnet dupont lambert rossi russo ferrari esposito bianchi romano colombo ricci marino greco conti costa santos oliveira souza pereira ferreira almeida carvalho ivanov petrov sidorov smirnov kuznetsov popov novak kowalski nowak wisniewski wojcik nagy kovacs horvath jensen nielsen hansen pedersen andersen larsen olsen johansen johansson andersson karlsson nilsson eriksson lindberg virtanen korhonen khan ahmed hassan hussein abdullah singh kumar sharma gupta verma mehta shah joshi reddy rao iyer nair das chatterjee banerjee wang zhang liu chen yang huang zhao wu zhou xu sun zhu lin guo tanaka suzuki sato takahashi watanabe yamamoto nakamura kobayashi kato park choi jung kang yoon okafor adeyemi okonkwo mensah dlamini nkosi hopper turing lovelace";

const EVERYDAY: &str = "mark will bill frank rose faith hope joy grace summer autumn dawn april june may max art sue pat ray dean drew rob daisy lily violet iris ivy opal pearl ruby hazel amber jordan austin madison virginia victoria charlotte georgia paris jack christian mason hunter tyler chase long white brown black green young king hall cook baker ward gray fisher cole wells webb porter wolf rich price banks woods fields stone rivers snow frost rush cross day bell love church case power cost hunt cruz cox ellis klein lang sun park das an ling max nick jesse li chen min may page carter taylor turner cooper mason gardner butler marshall dan miller noor hao jun yan mei rao shah wei ali ann joe jean kim lee scott adam ada nora vera alexis ella logan";

const NEVER: &str = "the a an and or but if of in on at to for from by with as is are was were be been has have had do does did not no yes this that these those it its he she they we you i my your our his her their who what when where why how which all any each every some none new old north south east west upper lower great san santa los las el saint st fort mount lake river bay port cape dear hello hi hey please thanks thank regards sincerely best kind team project group department division office center centre institute university college school hospital bank company corporation corp inc ltd llc gmbh co foundation association society union council committee board court government ministry agency bureau service services system systems server client customer user admin manager director engineer developer analyst agent account order invoice ticket case report meeting call email mail phone address name id number code key token password error warning info debug status state version release build test tests data file files document page section chapter figure table note notes list item items task tasks issue issues request response message messages monday tuesday wednesday thursday friday saturday sunday january february march july august september october november december today tomorrow yesterday morning afternoon evening night week month year quarter street road avenue lane drive boulevard square place park garden airport station hotel american english german french spanish italian chinese japanese indian british european united states kingdom republic city county district region province area zone web api http https json xml html css sql java python rust linux windows mac apple google microsoft amazon facebook github gitlab docker kubernetes cloud azure security privacy policy terms period clause contract agreement license plan budget cost price total amount payment review summary update updates change changes approved approval rejected pending delivered shipped received completed failed started done open closed active inactive primary secondary first second third last next previous high medium low critical normal priority owner member members peer peers contact patient employee supplier vendor partner dr mr mrs ms prof will can could should would may might must shall let also then than there here now just only after before during until while because since about above below between under over again further once more most other another such same so too very";

const STREET: &str = "street st avenue ave road rd lane ln drive dr boulevard blvd court ct way place pl terrace square sq parkway pkwy circle cir highway hwy trail close crescent cres gardens mews row quay grove walk alley plaza turnpike loop crossing heights ridge broadway";

const STREET_FIRST: &str =
    "rue via calle avenida plaza piazza viale corso rua carrer paseo chemin allée place quai";

const PARTICLE: &str = "de del della di da dos van von der den ten la le bin ibn al el mac o y";

/// Longest word that can be known, in bytes.
const WORD_MAX: usize = 16;

/// Places of the table; a power of two, several times the number of known words.
const TABLE: usize = 8192;

/// The known words, packed into integers: one multiplication and hardly more than one look a word.
#[derive(Debug)]
pub(super) struct Vocabulary {
    table: Vec<(u128, Known)>,
}

/// The letters of a word as an integer, capitals as small letters; `None` of a longer word.
fn packed(word: &[u8]) -> Option<u128> {
    let mut bytes = [0; WORD_MAX];
    bytes.get_mut(..word.len())?.copy_from_slice(word);
    // A word has letters, dashes and apostrophes, and this bit only tells capitals from small ones.
    let small = u128::from_le_bytes([0x20; WORD_MAX]) >> (8 * (WORD_MAX - word.len()));
    Some(u128::from_le_bytes(bytes) | small)
}

/// Where a packed word is looked for first.
fn slot(word: u128) -> usize {
    let mixed = (word as u64 ^ (word >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 51) as usize
}

impl Vocabulary {
    pub(super) fn new() -> Self {
        let lists = [
            (GIVEN, Known::GIVEN),
            (FAMILY, Known::FAMILY),
            (EVERYDAY, Known::EVERYDAY),
            (NEVER, Known::NEVER),
            (STREET, Known::STREET),
            (STREET_FIRST, Known::STREET_FIRST),
            (PARTICLE, Known::PARTICLE),
        ];
        let mut vocabulary = Self {
            table: vec![(0, Known::default()); TABLE],
        };
        for (list, means) in lists {
            for word in list.split_whitespace() {
                vocabulary.add(&plain(word), means);
            }
        }
        vocabulary
    }

    fn add(&mut self, word: &str, means: Known) {
        let packed = packed(word.as_bytes()).expect("BUG: a listed word is short");
        let place = self.place(packed);
        self.table[place].0 = packed;
        self.table[place].1.0 |= means.0;
    }

    /// Where a packed word stands, or the free place where it would.
    fn place(&self, packed: u128) -> usize {
        let mut place = slot(packed);
        while self.table[place].0 != packed && self.table[place].0 != 0 {
            place = (place + 1) % TABLE;
        }
        place
    }

    /// Replaces `words` by those of `text`, in order.
    pub(super) fn words(&self, text: &str, words: &mut Vec<Word>) {
        words.clear();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if OF_WORD[usize::from(bytes[at])] != LETTER {
                at += 1;
                continue;
            }
            let start = at;
            let mut all = 0;
            while at < bytes.len() && goes_on(bytes, at) {
                all |= bytes[at];
                at += 1;
            }
            let after_digit = start > 0 && bytes[start - 1].is_ascii_digit();
            if !after_digit {
                words.push(self.word(text, start, at, all.is_ascii()));
            }
        }
    }

    fn word(&self, text: &str, start: usize, end: usize, is_ascii: bool) -> Word {
        let is_capital = match text.as_bytes()[start].is_ascii() {
            true => text.as_bytes()[start].is_ascii_uppercase(),
            false => text[start..].chars().next().is_some_and(char::is_uppercase),
        };
        let packed = match is_ascii {
            true => packed_at(text.as_bytes(), start, end),
            false => packed(plain(&text[start..end]).as_bytes()),
        };
        let known = packed.map_or_else(Known::default, |one| self.table[self.place(one)].1);
        Word {
            start: start as u32,
            end: end as u32,
            known,
            is_capital,
        }
    }
}

/// The word from `start` to `end`, packed; where the text goes on long enough, in one load.
fn packed_at(bytes: &[u8], start: usize, end: usize) -> Option<u128> {
    let length = end - start;
    match bytes[start..].first_chunk::<WORD_MAX>() {
        Some(chunk) if length <= WORD_MAX => {
            let unused = 8 * (WORD_MAX - length);
            let letters = u128::from_le_bytes(*chunk) << unused >> unused;
            Some(letters | u128::from_le_bytes([0x20; WORD_MAX]) >> unused)
        }
        Some(_) => None,
        None => packed(&bytes[start..end]),
    }
}

const LETTER: u8 = 1;
const JOINER: u8 = 2;

/// Letters, and marks that join them.
const OF_WORD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte >= 0x80 || (byte as u8).is_ascii_alphabetic() {
            table[byte] = LETTER;
        }
        byte += 1;
    }
    table[b'\'' as usize] = JOINER;
    table[b'-' as usize] = JOINER;
    table
};

/// Whether a word goes on here: a letter, or a mark between two letters.
fn goes_on(bytes: &[u8], at: usize) -> bool {
    let class = |at: usize| bytes.get(at).map_or(0, |byte| OF_WORD[usize::from(*byte)]);
    match class(at) {
        LETTER => true,
        JOINER => at > 0 && class(at - 1) == LETTER && class(at + 1) == LETTER,
        _ => false,
    }
}

/// A word in lower case without accents.
fn plain(word: &str) -> String {
    let fold = |c: char| match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ı' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ő' => 'o',
        'ù'..='ü' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ś' | 'š' | 'ş' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        'ł' => 'l',
        'ğ' => 'g',
        'ř' => 'r',
        other => other,
    };
    word.chars()
        .flat_map(char::to_lowercase)
        .map(fold)
        .collect()
}
