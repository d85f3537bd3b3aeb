/* Throws an exception across the boundary. */
#include <stdexcept>
#define ON_OPEN throw std::runtime_error("the arm is stuck")
#include "hostile.h"
