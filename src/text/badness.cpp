#include <string>
#include <string_view>

#include "text/mojibake.hpp"
#include "text/regex.hpp"

namespace moa {
namespace {

// The characters that UTF-8 turns into when it is read as something else, by their use. Members of classes of
// a pattern: "a-z" is a range.
constexpr std::string_view kCommon = "\u00a0\u00ad·´–—―…’";
constexpr std::string_view kControl = "\u0080-\u009f";
constexpr std::string_view kBad = "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\ufffdªº";  // hardly ever meant
constexpr std::string_view kLaw = "¶§";
constexpr std::string_view kCurrency = "¢£¥₧€";
constexpr std::string_view kOpening = "¡«¿©΄΅‘‚“„•‹\uf8ff";
constexpr std::string_view kClosing = "®»˝”›™";
constexpr std::string_view kNumeric = "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№";
constexpr std::string_view kFaces = "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°";  // letters of which faces are made: "ヽ(ó_ò)ノ"
constexpr std::string_view kUpper = "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
constexpr std::string_view kLower = "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ";
constexpr std::string_view kForeignUpper = "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я";  // that words may well end with
constexpr std::string_view kForeignLower = "α-ωάέήίΰа-џ";
constexpr std::string_view kBox = "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓";
constexpr std::string_view kSpace =
    "\t-\r\x1c-\x20\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
constexpr std::string_view kWord = "\\p{L}\\p{N}_";

template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::string whole;
  (whole.append(parts), ...);
  return whole;
}

// One of the characters of all `members`.
template <typename... Members>
std::string any(const Members&... members) {
  return joined("[", members..., "]");
}

// What stands side by side where no one meant it. An order of alternatives does not matter: one is enough.
std::string pattern_of_badness() {
  const std::string letters = joined(kLower, kUpper);
  const std::string symbols = joined(kBox, kOpening, kClosing, kCurrency, kNumeric, kLaw);
  const std::string odd = joined(kControl, kBad, kOpening, kClosing, kCurrency, "°");
  const std::string arabic = any("ØÙ") + any(kCommon, kCurrency, kBad, kNumeric, kOpening, "ŸŠ®°µ»");
  const std::string alternatives[] = {
      any(kControl),
      any(kBad, letters, symbols) + any(kBad),
      any("a-zA-Z") + any(kForeignLower, kForeignUpper) + any(kBad),
      any(kBad) + any(letters, symbols),
      any(kLower, kForeignLower, kBox, kClosing, kCurrency, kNumeric) + any(kUpper),
      any(kBox, kClosing, kCurrency, kNumeric) + any(kLower),
      any(kLower, kBox, kClosing) + any(kCurrency),
      any(kSpace) + any(kUpper) + any(kCurrency),
      any(kUpper, kBox) + any(kNumeric, kLaw),
      any(letters, kBox, kCurrency, kClosing) + any(kOpening) + any(kNumeric),
      any(letters, kCurrency, kNumeric, kBox, kLaw) + any(kClosing) + any(kOpening),
      any(kCurrency, kNumeric, kBox) + any(kOpening),
      any("a-z") + any(kUpper) + any(kOpening, kCurrency),
      any(kBox) + any(kFaces, kClosing),
      any(letters, kCurrency, kNumeric, kOpening, kClosing, kLaw) + any(kBox),
      any(letters) + any(kOpening, kClosing) + any(kWord),
      any("Œœ") + any("^A-Za-z"),
      any(kUpper) + "°",
      // Windows-1252
      any("ÂÃÎÐ") + any("€œŠš¢£Ÿž\u00a0\u00ad®©°·»–—´", kOpening, kClosing),
      "×" + any("²³"),
      arabic + arabic,
      "à" + any("²µ¹¼½¾"),
      "Ã" + any("\u00a0¡"),
      any("a-z") + any(kSpace) + "?" + any("ÃÂ") + "\x20",
      "\\A" + any("ÃÂ") + "\x20",
      any("a-z.,?!", kClosing) + "Â" + any("\x20", kOpening, kClosing),
      // MacRoman
      "√" + any("±∂†≠®™´≤≥¥µø"),
      "≈" + any("°¢"),
      "‚Ä" + any("ìîïòôúùû†°¢π"),
      "‚" + any("âó") + any("àä°ê"),
      // Windows-1251, also on top of another
      "вЂ",
      any("ВГРС") + any(odd, "µ") + any("ВГРС"),
      "ГўВЂВ." + any("A-Za-z\x20"),
      // Windows-1253 and Windows-1257
      "β€" + any("™\u00a0Ά\u00ad®°"),
      any("ΒΓΞΟ") + any(odd) + any("ΒΓΞΟ"),
      "ā€",
  };
  std::string pattern;
  for (const std::string& alternative : alternatives) pattern += (pattern.empty() ? "" : "|") + alternative;
  return pattern;
}

}  // namespace

bool looks_like_mojibake(std::string_view utf8) {
  static const Regex badness(pattern_of_badness());
  return badness.matches(utf8);
}

}  // namespace moa
