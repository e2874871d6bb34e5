#include "Controls.h"

#include "Failure.h"
#include "Versions.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>

using namespace libcamera;

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// The first of a value's numbers.
double number(const ControlValue &value) {
  const auto bytes = value.data();
  auto read = [&bytes](auto number) {
    if (bytes.size() < sizeof(number))
      return unknown;
    std::memcpy(&number, bytes.data(), sizeof(number));
    return static_cast<double>(number);
  };
  switch (value.type()) {
  case ControlTypeBool: return read(uint8_t()) != 0;
  case ControlTypeByte: return read(uint8_t());
#if LCB_HAS_UNSIGNED
  case ControlTypeUnsigned16: return read(uint16_t());
  case ControlTypeUnsigned32: return read(uint32_t());
#endif
  case ControlTypeInteger32: return read(int32_t());
  case ControlTypeInteger64: return read(int64_t());
  case ControlTypeFloat: return read(float());
  default: return unknown;
  }
}

lcb_kind kind(ControlType type) {
  switch (type) {
  case ControlTypeBool: return LCB_SWITCH;
#if LCB_HAS_UNSIGNED
  case ControlTypeUnsigned16:
  case ControlTypeUnsigned32:
#endif
  case ControlTypeByte:
  case ControlTypeInteger32:
  case ControlTypeInteger64: return LCB_INTEGER;
  case ControlTypeFloat: return LCB_FRACTION;
  case ControlTypeRectangle: return LCB_RECTANGLE;
  default: return LCB_OTHER;
  }
}

/// Several numbers: what libcamera says, or since 0.4 knows.
bool isSeveral(const ControlId &id, const ControlInfo &info) {
  static const char *const known[] = {"FrameDurationLimits", "ColourGains", "ColourCorrectionMatrix", "AfWindows",
                                      "SensorBlackLevels"};
  auto is = [&id](const char *name) { return id.name() == name; };
  return versions::isArray(id, 0) || info.min().isArray() || info.def().isArray()
         || std::any_of(std::begin(known), std::end(known), is);
}

uint32_t count(const ControlId &id, const ControlInfo &info) {
  const uint32_t each = id.type() == ControlTypeRectangle ? 4 : 1;
  if (!isSeveral(id, info))
    return each;
  if (uint32_t size = versions::arraySize(id, 0))
    return each * size;
  if (id.name() == "ColourCorrectionMatrix")
    return 9;
  return id.name() == "FrameDurationLimits" || id.name() == "ColourGains" ? 2 : 0;
}

template <typename Number> Number clamped(double number) {
  // The largest of 64 bits is no double: the next one is too large.
  if (!(number > static_cast<double>(std::numeric_limits<Number>::lowest())))
    return std::numeric_limits<Number>::lowest();
  if (number >= static_cast<double>(std::numeric_limits<Number>::max()))
    return std::numeric_limits<Number>::max();
  return static_cast<Number>(number);
}

template <typename Number> ControlValue made(const double *numbers, uint32_t count, bool isSeveral) {
  std::vector<Number> values(count);
  std::transform(numbers, numbers + count, values.begin(), clamped<Number>);
  return isSeveral ? ControlValue(Span<const Number>(values.data(), values.size())) : ControlValue(values[0]);
}

ControlValue rectangles(const double *numbers, uint32_t count, bool isSeveral) {
  std::vector<Rectangle> values;
  for (uint32_t first = 0; first < count; first += 4)
    values.emplace_back(clamped<int>(numbers[first]), clamped<int>(numbers[first + 1]),
                        Size(clamped<unsigned int>(numbers[first + 2]), clamped<unsigned int>(numbers[first + 3])));
  return isSeveral ? ControlValue(Span<const Rectangle>(values.data(), values.size())) : ControlValue(values[0]);
}

} // namespace

Controls::Controls(const ControlInfoMap &map) {
  for (const auto &[id, info] : map) {
    if (versions::isOutputOnly(*id, 0))
      continue;
    lcb_control control{};
    names_.push_back(id->name());
    control.name = names_.back().c_str();
    control.kind = kind(id->type());
    control.count = count(*id, info);
    control.minimum = number(info.min());
    control.maximum = number(info.max());
    control.initial = number(info.def());
    if (!info.values().empty() && control.kind == LCB_INTEGER) {
      std::vector<lcb_choice> choices;
      for (const ControlValue &value : info.values()) {
        names_.push_back(versions::choiceName(*id, clamped<int32_t>(number(value)), 0));
        choices.push_back({number(value), names_.back().c_str()});
      }
      choices_.push_back(std::move(choices));
      control.choices = choices_.back().data();
      control.choice_count = choices_.back().size();
    }
    controls_.push_back(control);
  }
  auto isBefore = [](const lcb_control &one, const lcb_control &other) { return std::strcmp(one.name, other.name) < 0; };
  std::sort(controls_.begin(), controls_.end(), isBefore);
}

ControlValue Controls::value(const ControlId &id, const ControlInfo &info, const double *numbers, uint32_t given) {
  const uint32_t wanted = count(id, info);
  const bool several = isSeveral(id, info);
  if (given == 0 || (wanted > 0 && given != wanted) || (id.type() == ControlTypeRectangle && given % 4 != 0))
    throw Failure(-EINVAL, id.name() + " takes another number of values");
  switch (id.type()) {
  case ControlTypeBool:
    // A vector of bools has no memory of bools.
    if (!several)
      return ControlValue(numbers[0] != 0);
    break;
  case ControlTypeByte: return made<uint8_t>(numbers, given, several);
#if LCB_HAS_UNSIGNED
  case ControlTypeUnsigned16: return made<uint16_t>(numbers, given, several);
  case ControlTypeUnsigned32: return made<uint32_t>(numbers, given, several);
#endif
  case ControlTypeInteger32: return made<int32_t>(numbers, given, several);
  case ControlTypeInteger64: return made<int64_t>(numbers, given, several);
  case ControlTypeFloat: return made<float>(numbers, given, several);
  case ControlTypeRectangle: return rectangles(numbers, given, several);
  default: break;
  }
  throw Failure(-ENOTSUP, id.name() + " takes what is no number");
}
