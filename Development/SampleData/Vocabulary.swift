/// Words in one buffer, the frequent ones first.
struct Vocabulary: Sendable {
    private let bytes: [UInt8]
    private let starts: [Int]

    /// - Parameter words: separated by single spaces.
    init(_ words: String) {
        bytes = Array(words.utf8) + [0x20]
        var starts = [0]
        for (index, byte) in bytes.enumerated() where byte == 0x20 { starts.append(index + 1) }
        self.starts = starts
    }

    var count: Int { starts.count - 1 }

    /// The word's bytes.
    subscript(index: Int) -> ArraySlice<UInt8> { bytes[starts[index]..<starts[index + 1] - 1] }

    static let words = Vocabulary(
        "the and to of a in you for with your on is that it we be this are as have our can from "
            + "session coach not will was at or time about more what when how they one work week "
            + "client goals an by but all if plan so up their there out which us make next day "
            + "would like do has been help people than first also very well feel good need take "
            + "team any them really after new training some into before just get think over only "
            + "progress best life every great through other practice talk call feedback clear "
            + "focus start then because move learn change keep always small thank steps should "
            + "month could between confidence career leadership where her his know again build "
            + "meeting questions support journey future listen energy space energy today notes "
            + "health balance experience morning program habits strength mind without together "
            + "much many still while these those both each even never often since until during "
            + "schedule growth approach skills performance mindset results strong review exercise "
            + "patience useful personal honest calm motivation sleep nutrition running weight "
            + "recovery stress breathing evening communication conversation decisions values "
            + "purpose challenge manager company office project interview promotion salary "
            + "presentation audience speech family partner children parents friends travel "
            + "reschedule cancel confirm invoice payment refund package discount subscription "
            + "profile calendar reminder timezone link video camera audio connection document "
            + "worksheet template homework reflection journal gratitude meditation yoga pilates "
            + "swimming cycling marathon distance interval tempo stretching mobility posture "
            + "shoulder knee injury doctor physiotherapist protein vegetables breakfast hydration "
            + "calories measurement baseline assessment questionnaire framework principle "
            + "accountability resilience perspective boundaries priorities delegation negotiation "
            + "conflict trust empathy curiosity creativity strategy vision mission milestone "
            + "deadline budget quarterly annual objective outcome indicator dashboard analysis "
            + "insight improvement opportunity transition relocation retirement entrepreneur "
            + "startup investor customer marketing brand website newsletter community workshop "
            + "seminar certificate diploma university student teacher mentor apprentice colleague "
            + "supervisor director executive assistant volunteer organisation association "
            + "remarkable wonderful excellent outstanding thoughtful professional attentive "
            + "knowledgeable inspiring practical structured flexible punctual friendly warm "
            + "demanding challenging rewarding surprising difficult uncomfortable necessary "
            + "honestly absolutely definitely probably especially particularly gradually "
            + "consistently immediately eventually afterwards meanwhile otherwise therefore "
            + "although however whenever whatever wherever somebody everything nothing anything")

    static let firstNames = Vocabulary(
        "emma liam olivia noah ava elijah mia lucas sofia mason amelia ethan lena jonas hannah "
            + "paul marie felix clara anton ida emil freja oskar alma hugo ines mateo lucia diego "
            + "carmen pablo giulia luca chiara marco aisha omar fatima yusuf leila karim priya "
            + "arjun ananya rohan mei wei yuki haruto sakura min-jun ji-woo thandi sipho zanele "
            + "kofi ama chidi ngozi ingrid lars astrid bjorn katarzyna piotr zofia jan eva tomas")

    static let lastNames = Vocabulary(
        "smith johnson williams brown jones garcia miller davis martinez lopez wilson anderson "
            + "thomas taylor moore jackson martin lee perez thompson white harris clark lewis "
            + "robinson walker young allen king wright scott torres nguyen hill flores green adams "
            + "nelson baker hall rivera campbell mitchell carter roberts mueller schmidt schneider "
            + "fischer weber meyer wagner becker rossi ferrari russo bianchi dubois laurent moreau "
            + "jansen devries bakker kowalski nowak svensson larsen hansen okafor mensah dlamini "
            + "patel sharma singh kumar chen wang zhang tanaka sato suzuki kim park haddad rahman")

    static let specialties = Vocabulary(
        "leadership career executive life health nutrition fitness mindfulness relationship "
            + "productivity sales public-speaking parenting finance transition wellness running "
            + "strength yoga sleep creativity communication conflict-resolution retirement")

    static let cities = Vocabulary(
        "berlin london paris madrid lisbon rome vienna zurich amsterdam copenhagen stockholm oslo "
            + "helsinki warsaw prague dublin brussels barcelona munich hamburg milan lyon porto")

    static let timeZones = Vocabulary(
        "Europe/Berlin Europe/London Europe/Paris America/New_York America/Chicago Asia/Tokyo "
            + "America/Los_Angeles Europe/Madrid Australia/Sydney Africa/Johannesburg Asia/Kolkata")

    static let languages = Vocabulary("en de fr es it pt nl sv da pl cs tr ar hi zh ja")
    static let currencies = Vocabulary("EUR USD GBP CHF SEK DKK PLN")

    /// What names and terms are put together from.
    static let syllables = Vocabulary(
        "ba be bi bo bu da de di do du fa fe fi fo ga ge gi go gu ha he hi ho ka ke ki ko ku la le "
            + "li lo lu ma me mi mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta "
            + "te ti to tu va ve vi vo wa we wi ya yo za ze zo ran ter lin mar ton ber sky den")

    static let browsers = Vocabulary("Chrome Safari Firefox Edge Opera")
    static let systems = Vocabulary("Windows macOS Linux Android iOS")
    static let units = Vocabulary("mm cm m g kg ml l W V mAh GB dB lm")

    static let userAgents = [
        Vocabulary.userAgent("Windows NT 10.0; Win64; x64", "Chrome"),
        Vocabulary.userAgent("Macintosh; Intel Mac OS X 10_15_7", "Version/17.1 Safari"),
        Vocabulary.userAgent("iPhone; CPU iPhone OS 17_1 like Mac OS X", "Mobile/15E148 Safari"),
        Vocabulary.userAgent("X11; Linux x86_64", "Firefox"),
    ]

    private static func userAgent(_ system: String, _ browser: String) -> ArraySlice<UInt8> {
        Array("Mozilla/5.0 (\(system)) AppleWebKit/605.1.15 (KHTML, like Gecko) \(browser)/".utf8)[
            ...]
    }
}
